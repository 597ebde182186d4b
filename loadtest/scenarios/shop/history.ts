import type { Witness } from '../../measurement/witness.ts';
import type { Excuse, Rule } from './faults.ts';
import type { AskedOrder } from './look-at-orders.ts';

/**
 * One attempt to place an order, as its buyer saw it. `refused`: the shop said that nothing was ordered. `unknown`: no
 * answer, or one that does not say; only the shop's books can tell.
 */
export type OrderAttempt = AskedOrder & {
  /** Milliseconds since 1970. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  /** Null when nothing was answered. */
  readonly status: number | null;
  readonly requestId: string | null;
  /** Id and total of the order, when acknowledged. */
  readonly order: number | null;
  readonly totalCents: number | null;
};

/** What the buyers write down for the judges, as events of the measurement. */
export type ShopEvent =
  | ({ readonly kind: 'order' } & OrderAttempt)
  /** An answer that is wrong unless somebody else did something meanwhile; only the first of each kind. */
  | { readonly kind: 'doubt'; readonly rule: Rule; readonly unless: Excuse; readonly witness: Witness }
  /** How many of a kind there were in one process. */
  | { readonly kind: 'doubts'; readonly rule: Rule; readonly unless: Excuse; readonly count: number };

/** What the buyers say of one key, all attempts taken together. */
export type Claim = {
  readonly asked: AskedOrder;
  /** Ids the shop has given for it: one, if all is well. */
  readonly orders: readonly number[];
  readonly totalCents: number | null;
  /** `refused` only when no attempt can have made the order. */
  readonly outcome: OrderAttempt['outcome'];
  /** Of the attempt that says most. */
  readonly requestId: string | null;
};

/** The attempts by key, in order of their first sending. Pure. */
export function claimsOf(attempts: Iterable<OrderAttempt>): Claim[] {
  const claims = new Map<string, Claim>();
  for (const attempt of attempts) {
    const known = claims.get(attempt.key);
    claims.set(attempt.key, known === undefined ? claimOf(attempt) : joined(known, attempt));
  }
  return [...claims.values()];
}

function claimOf(attempt: OrderAttempt): Claim {
  const { key, client, deliveryMethod, lines, order, totalCents, outcome, requestId } = attempt;
  return { asked: { key, client, deliveryMethod, lines }, orders: order === null ? [] : [order], totalCents, outcome, requestId };
}

function joined(known: Claim, attempt: OrderAttempt): Claim {
  const { order, outcome, requestId } = attempt;
  const orders = order === null || known.orders.includes(order) ? known.orders : [...known.orders, order];
  const weight = { refused: 0, unknown: 1, acknowledged: 2 } as const;
  if (weight[outcome] <= weight[known.outcome]) return { ...known, orders };
  return { ...known, orders, outcome, requestId, totalCents: attempt.totalCents ?? known.totalCents };
}

/** How many attempts were under way while another for one of the same products was: so many could race. Pure. */
export function countRaces(attempts: readonly OrderAttempt[]): number {
  const raced = new Set<OrderAttempt>();
  const latest = new Map<number, OrderAttempt>();
  for (const attempt of attempts.toSorted((a, b) => a.sentAtMs - b.sentAtMs)) {
    for (const { product } of attempt.lines) {
      // Who overlaps with any before overlaps with the one of them that ended last.
      const other = latest.get(product);
      if (other && attempt.sentAtMs < other.endedAtMs) raced.add(attempt).add(other);
      if (!other || attempt.endedAtMs > other.endedAtMs) latest.set(product, attempt);
    }
  }
  return raced.size;
}
