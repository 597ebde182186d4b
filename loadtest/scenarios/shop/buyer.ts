import type { Acknowledged, OwnOrders } from './look-at-own-orders.ts';

/** What one buyer remembers of its own orders, in bounded memory. */
export type Buyer = {
  readonly client: number;
  readonly own: () => OwnOrders;
  /** The answer to the last order asked for, if it was a yes. */
  readonly last: () => Acknowledged | undefined;
  /** The same, if its key was this one. */
  readonly placedWith: (key: string) => Acknowledged | undefined;
  readonly isUnknown: (key: string) => boolean;
  readonly acknowledged: (key: string, placed: Acknowledged) => void;
  /** The shop has said no: nothing was ordered. */
  readonly refused: (key: string) => void;
  /** Nobody knows whether the order exists: no answer, or one that does not say. */
  readonly unanswered: (key: string) => void;
};

/** Enough for the page a buyer looks at. */
const maxLatest = 40;
/** Requests of one buyer that stay open are few: it sends one at a time. */
const maxUnknown = 1_000;

export function createBuyer(client: number): Buyer {
  let count = 0;
  let latest: Acknowledged[] = [];
  let last: { readonly key: string; readonly placed: Acknowledged } | undefined;
  const unknown = new Set<string>();
  return {
    client,
    own: () => ({ client, count, latest, unknown: unknown.size }),
    last: () => last?.placed,
    placedWith: (key) => (last?.key === key ? last.placed : undefined),
    isUnknown: (key) => unknown.has(key),
    acknowledged: (key, placed) => {
      unknown.delete(key);
      if (last?.key === key) return;
      last = { key, placed };
      count += 1;
      latest = [...latest, placed].toSorted((a, b) => a.order.id - b.order.id).slice(-maxLatest);
    },
    refused: (key) => {
      last = undefined;
      unknown.delete(key);
    },
    unanswered: (key) => {
      if (last?.key === key) return;
      last = undefined;
      if (unknown.size < maxUnknown) unknown.add(key);
    },
  };
}
