import type { AskedLine } from '#loadtest/scenarios/shop/look-at-orders.ts';
import type { ThingKind } from './things.ts';

/** What the clients asked for and were told: all that the judge knows of them. A pure value. */
export type History = readonly Entry[];

/**
 * One request that changes something, as its client saw it. `refused`: the API said that nothing was done. `unknown`: no
 * answer, or one that does not say.
 */
export type Entry = {
  /** Whose, and its Idempotency-Key: the same for the same request sent again. */
  readonly key: string;
  readonly what: What;
  /** Milliseconds of the clients' own clock, which nothing moves. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  readonly outcome: Outcome;
  /** Null when nothing was answered. */
  readonly status: number | null;
  /** Of the problem document, where there is one. */
  readonly code: string | null;
  /** As acknowledged; null otherwise. */
  readonly body: string | null;
  /** Sent when all faults were over, to learn what had become of it. */
  readonly isAsking: boolean;
};

export type Outcome = 'acknowledged' | 'refused' | 'unknown';

export type What =
  | { readonly kind: 'order'; readonly client: number; readonly deliveryMethod: number; readonly lines: readonly AskedLine[] }
  | { readonly kind: 'cancel'; readonly order: number }
  | { readonly kind: 'refund'; readonly order: number; readonly line: number; readonly quantity: number }
  /** Without a key, on the condition that the order is at a version. */
  | { readonly kind: 'begin'; readonly order: number }
  /** A word put behind those that stand in a register, on the condition that it is at a version. Without a key. */
  | { readonly kind: 'append'; readonly register: number; readonly word: string }
  | { readonly kind: 'register'; readonly email: string }
  | { readonly kind: 'address'; readonly client: number }
  /** Something that its client keeps; `content` stands for all of it, as in `things`. */
  | { readonly kind: 'make'; readonly thing: ThingKind | 'bill' | 'order'; readonly content: string }
  /** On the condition that it is at that version. Without a key, as the next. */
  | { readonly kind: 'change'; readonly thing: ThingKind; readonly id: number; readonly version: number; readonly content: string }
  | { readonly kind: 'remove'; readonly thing: ThingKind; readonly id: number; readonly version: number }
  /** An account deleted. Without a key. */
  | { readonly kind: 'leave'; readonly client: number }
  /** A refresh token changed for the next; `generation` counts those of its session before it. Without a key. */
  | { readonly kind: 'refresh'; readonly session: string; readonly generation: number }
  /** A session ended by its client. Without a key. */
  | { readonly kind: 'logout'; readonly session: string }
  /** A password changed by another session, which ends this one. Without a key. */
  | { readonly kind: 'password'; readonly session: string };

/** Whether the API does it once for a key, so that asking again tells what became of it. */
export const isOnce = ({ kind }: What): boolean => ['order', 'cancel', 'refund', 'register', 'address', 'make'].includes(kind);

/** What an answer to a write says of it. Pure. */
export function outcomeOf(status: number | null): Outcome {
  if (status === null) return 'unknown';
  if (status < 300) return 'acknowledged';
  // 503 promises that nothing was begun; other server errors promise nothing.
  return status < 500 || status === 503 ? 'refused' : 'unknown';
}

/** Refusals that say nothing of an earlier attempt under the same key. */
const saysNothing: ReadonlySet<string | null> = new Set([
  'idempotency_in_flight',
  'rate_limited',
  'unauthenticated',
  'idempotency_key_reused',
]);

/** Clients who have left, or may have: with them go the answers of their keys, so that asking tells nothing any more. Pure. */
export const leftIn = (history: History): ReadonlySet<string> =>
  new Set(history.flatMap(({ what, outcome }) => (what.kind === 'leave' && outcome !== 'refused' ? [`${what.client}`] : [])));

/** How each key has ended, all attempts and, if it was open, the question after all faults taken together. Pure. */
export function outcomes(history: History): ReadonlyMap<string, Outcome> {
  const byKey = Map.groupBy(history, ({ key }) => key);
  const left = leftIn(history);
  return new Map([...byKey].map(([key, entries]) => [key, outcomeOfAll(entries, left.has(actorOf(key)))]));
}

/** Whose a key is. */
export const actorOf = (key: string): string => key.slice(0, key.indexOf('/'));

function outcomeOfAll(entries: History, isLeft: boolean): Outcome {
  if (entries.some(({ outcome }) => outcome === 'acknowledged')) return 'acknowledged';
  // Had it been done, it would have been answered so: the answer of a key is kept with what it did.
  if (!isLeft && entries.some((entry) => entry.isAsking && isOnce(entry.what) && entry.outcome === 'refused' && isTelling(entry)))
    return 'refused';
  return entries.some(({ outcome }) => outcome === 'unknown') ? 'unknown' : 'refused';
}

const isTelling = ({ status, code }: Entry): boolean => status !== 503 && !saysNothing.has(code);
