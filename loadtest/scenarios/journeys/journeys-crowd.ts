import { createRandom, pickWeighted, randomInt, type Random } from '../../generate/random.ts';
import type { CreateCrowd, Step, User } from '../../generate/step.ts';
import type { Journey, Journeys, JourneyStep } from './file-schema.ts';
import { holdAnswer } from './hold-answer.ts';
import type { JourneyFacts, Row } from './journeys.ts';
import { endpointOf } from './references.ts';
import { fillJson, fillText, type Json, type Values } from './slots.ts';

/** A request that knows what its answer must hold. */
type Leg = Step & { readonly step: JourneyStep; readonly values: Values };

/** Users who walk through one journey after another, each chosen by its weight. */
export const createCrowd: CreateCrowd = ({ seed, facts }) => ({
  user: (index) => createWalker(facts as JourneyFacts, index, createRandom(seed, 2 * index)),
  close: () => {},
});

/** One user. The same seed makes the same choices, as long as the answers are the same. Pure but for its own memory. */
export function createWalker({ script, runId, users }: JourneyFacts, index: number, random: Random): User<Leg> {
  const { file, feeds, secrets } = script;
  const weights = Object.fromEntries(Object.entries(file.journeys).map(([name, { weight }]) => [name, weight]));
  let passes = 0;
  let left: JourneyStep[] = [];
  let values: Map<string, Json> = new Map();
  const begin = (): JourneyStep[] => {
    const journey = file.journeys[pickWeighted(random, weights)] as Journey;
    values = new Map<string, Json>([
      ['$user', index],
      ['$pass', `${runId}-${index}-${passes}`],
      ['$run', runId],
      ...Object.entries(rowOf(journey, index + passes * users)),
    ]);
    passes += 1;
    return [...journey.steps];
  };
  const rowOf = ({ feed }: Journey, turn: number): Row => {
    const { order, rows } = (feed === undefined ? undefined : feeds[feed]) ?? { order: 'sequential', rows: [] };
    if (rows.length === 0) return {};
    return rows[order === 'random' ? randomInt(random, 0, rows.length - 1) : turn % rows.length] ?? {};
  };
  const hide = (text: string): string => secrets.reduce((shown, secret) => shown.replaceAll(secret, '(hidden)'), text);
  return {
    next: () => {
      if (left.length === 0) left = begin();
      const step = left.shift() as JourneyStep;
      return legOf(step, file, values);
    },
    answered: (leg, answer) => {
      const { ruling, captured } = holdAnswer(answer, leg.step, leg.values);
      if (ruling.outcome !== 'ok') left = [];
      for (const [name, value] of captured) values.set(name, value);
      return { ...ruling, ...(ruling.says !== undefined && { says: hide(ruling.says) }), about: { path: leg.path } };
    },
    unanswered: () => {
      left = [];
    },
    hasOwnQuota: false,
    hide,
  };
}

/** A step as it is sent, its slots filled. */
function legOf(step: JourneyStep, { base, headers: common }: Pick<Journeys, 'base' | 'headers'>, values: Values): Leg {
  const { request, query, headers, body } = step;
  const path = `${base}${fillText(request.path, values, encodeURIComponent)}`;
  const asked = Object.entries(query).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(fillText(String(value), values))}`,
  );
  const fields = body === undefined ? { ...common, ...headers } : { 'content-type': 'application/json', ...common, ...headers };
  return {
    step,
    values: new Map(values),
    endpoint: endpointOf(step),
    method: request.method,
    path: asked.length === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${asked.join('&')}`,
    headers: Object.fromEntries(Object.entries(fields).map(([name, text]) => [name.toLowerCase(), fieldText(fillText(text, values))])),
    ...(body !== undefined && { body: JSON.stringify(fillJson(body, values)) }),
  };
}

/** What was captured may be anything; in a header field only these stand. */
const fieldText = (text: string): string => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?');
