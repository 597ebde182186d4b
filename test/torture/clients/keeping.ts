import { randomInt, type Random } from '#loadtest/generate/random.ts';
import { insist, send, type Answer, type Course } from '../asking.ts';
import { things, type ThingKind } from '../things.ts';
import type { Account } from './leaver.ts';

/** One thing kept with the shop: made, changed on the condition of its version, looked at, and what is known of it meanwhile. */

export type KeeperOptions = {
  readonly course: Course;
  readonly random: Random;
  readonly client: Account;
  /** Which nobody else buys; the first have little stock. */
  readonly products: readonly number[];
  /** Things of all keepers, for those who must not touch them; the newest last. */
  readonly known: Known[];
};

export type Known = { readonly thing: ThingKind; readonly id: number; readonly client: number };

export type Own = Known & {
  version: number;
  /** As shown at that version, and what else has been asked for since. */
  content: string;
  readonly tried: Set<string>;
  isLeaving: boolean;
};

export type Keeper = KeeperOptions & {
  readonly headers: Readonly<Record<string, string>>;
  own: Own[];
  /** The pending order whose lines are in `own`. */
  order: number | undefined;
  next: number;
};

const maxKnown = 300;

/** A key, or a word, that nobody has used before. */
export const numbered = (keeper: Keeper, what: string): string => `${what}-${keeper.client.clientId}-${(keeper.next += 1)}`;

/** Words tell one change from another; pieces are few, as shops sell them. */
const contentFor = (keeper: Keeper, thing: ThingKind): string =>
  thing === 'line' ? `${randomInt(keeper.random, 1, 4)}` : numbered(keeper, `a ${thing} of mine`);

type Made = { readonly thing: ThingKind | 'bill' | 'order'; readonly content: string; readonly path: string; readonly body: object };

/** Asks for one until it is told whether it is there. */
export function create(keeper: Keeper, { thing, content, path, body }: Made): Promise<Answer | undefined> {
  const { course, random, client, headers } = keeper;
  return insist(course, random, {
    actor: `${client.clientId}`,
    key: numbered(keeper, thing),
    what: { kind: 'make', thing, content },
    request: { method: 'POST', path, headers, body },
  });
}

/** The same of what can be changed, which is kept in mind then. @param belongs fields that say what it is a part of */
export async function add(keeper: Keeper, thing: ThingKind, belongs: object): Promise<Answer | undefined> {
  const { own, known, client } = keeper;
  const content = contentFor(keeper, thing);
  const { path, bodyOf } = things[thing];
  const answer = await create(keeper, { thing, content, path, body: { ...belongs, ...bodyOf(content) } });
  if (answer?.status !== 201) return answer;
  const { id_key: id } = JSON.parse(answer.body) as { id_key: number };
  const made: Own = { thing, id, client: client.clientId, version: 1, content, tried: new Set([content]), isLeaving: false };
  own.push(made);
  known.push(made);
  if (known.length > maxKnown) known.shift();
  return answer;
}

/** Asks once, on the condition of the version that was shown last. */
export function ask(keeper: Keeper, one: Own, kind: 'change' | 'remove'): Promise<Answer | undefined> {
  const { course, client, headers } = keeper;
  const { thing, id, version } = one;
  const [content, { path, bodyOf }] = [contentFor(keeper, thing), things[thing]];
  if (kind === 'remove') one.isLeaving = true;
  else one.tried.add(content);
  return send(course, {
    actor: `${client.clientId}`,
    key: numbered(keeper, kind),
    what: kind === 'remove' ? { kind, thing, id, version } : { kind, thing, id, version, content },
    request: {
      ...(kind === 'remove' ? { method: 'DELETE' } : { method: 'PUT', body: bodyOf(content) }),
      path: `${path}/${id}`,
      headers: { ...headers, 'if-match': `"${version}"` },
    },
  });
}

/** Shows what has become of it; one that is gone is forgotten. */
export async function lookAt(keeper: Keeper, one: Own): Promise<Answer | undefined> {
  const { path } = things[one.thing];
  const answer = await keeper.course.ask({ method: 'GET', path: `${path}/${one.id}`, headers: keeper.headers });
  if (answer?.status === 200) learn(keeper, one, answer);
  if (answer?.status !== 404) return answer;
  keeper.own = keeper.own.filter((other) => other !== one);
  if (!one.isLeaving) wrong(keeper, 'fresh-reads', `${one.thing} ${one.id} was acknowledged, and then not found`);
  return answer;
}

/** Takes over what is shown of a thing, which is never older than what was shown before. */
export function learn(keeper: Keeper, one: Own, { body }: Answer): void {
  const shown = JSON.parse(body) as { version: number };
  const content = things[one.thing].contentOf(shown);
  const at = `${one.thing} ${one.id} was shown at version ${shown.version} with "${content}"`;
  if (shown.version < one.version) wrong(keeper, 'fresh-reads', `${at}, after version ${one.version} had been`);
  else if (shown.version === one.version && content !== one.content) wrong(keeper, 'right-answers', `${at}, before with "${one.content}"`);
  else if (!one.tried.has(content)) wrong(keeper, 'right-answers', `${at}, which nobody asked for`);
  one.version = Math.max(one.version, shown.version);
  one.content = content;
}

/** Writes down what no right shop shows. */
export const wrong = ({ course }: Keeper, rule: 'fresh-reads' | 'right-answers' | 'own-data', detail: string): void =>
  void course.seen.push({ rule, detail });
