import { checkBooks } from '#loadtest/scenarios/shop/check-books.ts';
import { claimsOf, type OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import { orderOf } from '#loadtest/scenarios/shop/look-at-orders.ts';
import type { Product } from '#loadtest/scenarios/shop/shelf.ts';
import type { Aftermath } from './aftermath.ts';
import { actorOf, isOnce, leftIn, outcomes, type Entry, type History, type Outcome } from './history.ts';
import { checkSessions } from './judge-sessions.ts';
import { checkThings } from './judge-things.ts';
import type { Violation } from './rules.ts';

/** Holds what the clients were told against what the database holds when all is over. All of it pure. */

export type Case = {
  readonly history: History;
  /** By the clients, while they were at it. */
  readonly seen: readonly Violation[];
  readonly aftermath: Aftermath;
  /** The goods for sale, as shown before and after. */
  readonly products: readonly Product[];
  readonly productsAfter: readonly Product[];
};

export function judge(given: Case): Violation[] {
  const { history, seen, aftermath } = given;
  const ended = outcomes(history);
  return [
    ...checkOrders(given, ended),
    ...checkAnswers(history),
    ...checkResolved(history, ended),
    ...checkChanges(history, ended, aftermath),
    ...checkRegisters(history, aftermath),
    ...checkAccounts(history, aftermath),
    ...checkSessions(history),
    ...checkThings(history, aftermath),
    ...aftermath.remains.map(({ client, what }): Violation => ({ rule: 'nothing-left', detail: `of deleted client ${client}: ${what}` })),
    ...seen,
    ...(aftermath.deadlocks ? [{ rule: 'no-deadlock' as const, detail: `PostgreSQL broke ${aftermath.deadlocks} deadlocks` }] : []),
  ];
}

type Ended = ReadonlyMap<string, Outcome>;

function checkOrders({ history, aftermath, products, productsAfter }: Case, ended: Ended): Violation[] {
  const attempts = history.flatMap((entry) => attemptOf(entry, ended));
  const claims = claimsOf(attempts);
  return checkBooks({ claims, stored: aftermath.books, products, productsAfter, isShared: false });
}

/** What its client would say of it now: an attempt whose key turned out to have done nothing was refused. */
function attemptOf({ key, what, sentAtMs, endedAtMs, outcome, status, body }: Entry, ended: Ended): OrderAttempt[] {
  if (what.kind !== 'order') return [];
  const { client, deliveryMethod, lines } = what;
  const { id: order = null, totalCents = null } = (body !== null && orderOf(JSON.parse(body))) || {};
  const known = outcome === 'unknown' && ended.get(key) === 'refused' ? 'refused' : outcome;
  return [{ key, client, deliveryMethod, lines, sentAtMs, endedAtMs, outcome: known, status, requestId: null, order, totalCents }];
}

function checkAnswers(history: History): Violation[] {
  const first = new Map<string, string>();
  return history.flatMap(({ key, what, body, status, code }): Violation[] => {
    if (status === 500) return [{ rule: 'right-answers', detail: `${key} was answered 500` }];
    const wrong = (detail: string): Violation[] => [{ rule: 'same-answer', detail: `${key}: ${detail}` }];
    if (code === 'idempotency_key_reused') return wrong('refused as if it had come with another request');
    // What a load test registers is given a token each time.
    if (body === null || !isOnce(what) || what.kind === 'register') return [];
    const before = first.get(key);
    first.set(key, before ?? body);
    return before === undefined || before === body ? [] : wrong(`answered ${before.slice(0, 120)}, and then ${body.slice(0, 120)}`);
  });
}

/** Of whoever has left nothing can be asked any more. */
function checkResolved(history: History, ended: Ended): Violation[] {
  const left = leftIn(history);
  const open = history.filter(
    ({ key, what, isAsking }) => isAsking && isOnce(what) && ended.get(key) === 'unknown' && !left.has(actorOf(key)),
  );
  return [...new Set(open.map(({ key }) => key))].map((key) => ({ rule: 'resolved', detail: `${key} is still open` }));
}

const canceled = 4;

/** How often a thing was done for sure, and how often it may have been beside that. */
type Times = { sure: number; open: number };

function checkChanges(history: History, ended: Ended, { events, orders, returns }: Aftermath): Violation[] {
  const asked = new Map<string, Times>();
  const pieces = new Map<number, Times>();
  const firsts = new Map(history.map((entry) => [entry.key, entry]));
  for (const [key, { what }] of firsts) {
    if (what.kind !== 'cancel' && what.kind !== 'refund' && what.kind !== 'begin') continue;
    note(asked, `${what.kind} ${what.order}`, ended.get(key), 1);
    if (what.kind === 'refund') note(pieces, what.line, ended.get(key), what.quantity);
  }
  const done = Map.groupBy(events, eventName);
  const names = new Set([...asked.keys(), ...done.keys()]);
  const canceledOrders = new Set(events.flatMap(({ order, event, status }) => (event === 'status' && status === canceled ? [order] : [])));
  const refunded = new Map<number, number>();
  for (const { order, refundedCents } of events) refunded.set(order, (refunded.get(order) ?? 0) + refundedCents);
  return [
    ...[...names].flatMap((name) =>
      differs(`${name} stands in its order`, done.get(name)?.length ?? 0, asked.get(name)).map(({ rule, detail }) => ({
        rule,
        detail: `${detail}${answersTo(history, name)}`,
      })),
    ),
    ...orders.flatMap(({ order, refundedCents }) =>
      differs(`order ${order}: cents paid back`, refundedCents, { sure: refunded.get(order) ?? 0, open: 0 }),
    ),
    // The rest of a canceled order comes back without being refunded.
    ...returns.flatMap(({ line, order, returned }) =>
      canceledOrders.has(order) ? [] : differs(`line ${line} of order ${order}: pieces that came back`, returned, pieces.get(line)),
    ),
    ...[...pieces].flatMap(([line, { sure }]) =>
      sure > 0 && !returns.some((one) => one.line === line) ? differs(`line ${line}: pieces that came back`, 0, { sure, open: 0 }) : [],
    ),
  ];
}

function note<K>(times: Map<K, Times>, name: K, outcome: Outcome | undefined, by: number): void {
  const known = times.get(name) ?? { sure: 0, open: 0 };
  if (outcome === 'acknowledged') known.sure += by;
  if (outcome === 'unknown') known.open += by;
  times.set(name, known);
}

const eventName = ({ order, event, status }: Aftermath['events'][number]): string =>
  `${event === 'refund' ? 'refund' : status === canceled ? 'cancel' : 'begin'} ${order}`;

/** All that was asked of it and answered, by key, in the order it was sent: ` (5/cancel-7: none, 503 overloaded, 409 in the end)`. */
function answersTo(history: History, name: string): string {
  const about = history.filter(({ what }) => 'order' in what && `${what.kind} ${what.order}` === name);
  const said = [...Map.groupBy(about, ({ key }) => key)].map(
    ([key, entries]) =>
      `${key}: ${entries.map(({ status, code, isAsking }) => `${status ?? 'none'}${code === null ? '' : ` ${code}`}${isAsking ? ' in the end' : ''}`).join(', ')}`,
  );
  return said.length === 0 ? '' : ` (${said.join('; ')})`;
}

function differs(what: string, found: number, { sure, open }: Times = { sure: 0, open: 0 }): Violation[] {
  if (found >= sure && found <= sure + open) return [];
  return [{ rule: 'done-once', detail: `${what}: ${found}, acknowledged ${sure}${open > 0 ? ` and perhaps ${open}` : ''}` }];
}

function checkRegisters(history: History, { registers }: Aftermath): Violation[] {
  const asked = Map.groupBy(
    history.filter(({ what }) => what.kind === 'append'),
    ({ what }) => (what as { register: number }).register,
  );
  return registers.flatMap(({ register, text, version }) => {
    const words = text === '' ? [] : text.split(' ');
    const there = new Set(words);
    const wrong = (detail: string): Violation => ({ rule: 'no-lost-update', detail: `register ${register}: ${detail}` });
    const found = (asked.get(register) ?? []).flatMap(({ what, outcome }) => {
      const { word } = what as { word: string };
      if (outcome === 'acknowledged' && !there.has(word)) return [wrong(`"${word}" was acknowledged and is not there`)];
      return outcome === 'refused' && there.has(word) ? [wrong(`"${word}" was refused and is there`)] : [];
    });
    if (there.size !== words.length) found.push(wrong(`a word is there twice: ${text}`));
    if (version !== 1 + words.length) found.push(wrong(`version ${version} with ${words.length} words`));
    return found;
  });
}

function checkAccounts(history: History, { accounts }: Aftermath): Violation[] {
  const there = new Set(accounts.map(({ email }) => email));
  const left = new Set(history.flatMap(({ what, outcome }) => (what.kind === 'leave' && outcome !== 'refused' ? [what.client] : [])));
  const idOf = new Map<string, number>();
  return history.flatMap(({ key, what, body }): Violation[] => {
    if (what.kind !== 'register' || body === null) return [];
    const { id_key: id } = JSON.parse(body) as { id_key: number };
    const before = idOf.get(key) ?? id;
    idOf.set(key, before);
    const wrong = (detail: string): Violation[] => [
      { rule: 'one-account', detail: `${what.email} was registered as client ${before} ${detail}` },
    ];
    if (before !== id) return wrong(`and as ${id}`);
    return there.has(what.email) || left.has(id) ? [] : wrong('and is not there');
  });
}
