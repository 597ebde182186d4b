import type { OrderAccount } from '../../measurement/measurement.ts';
import { idOf, type Outcome, type Step } from './answers.ts';

/** More keys than this are counted, but no longer checked one by one. */
const maxKeys = 500_000;

/**
 * What the buyers know about their orders: by Idempotency-Key, whether the shop said yes and with which id. Compared
 * afterwards with what the shop itself has on its books.
 */
export type OrderBook = {
  readonly sent: (step: Step) => void;
  readonly answered: (step: Step, outcome: Outcome, body: string) => void;
  readonly account: () => OrderAccount;
};

export function createOrderBook(): OrderBook {
  /** Key → id once acknowledged; null while nothing certain is known; `false` when refused. */
  const keys = new Map<string, number | null | false>();
  const ids = new Set<number>();
  const account = { acknowledged: 0, refused: 0, keysWithTwoOrders: 0, ordersWithTwoKeys: 0, unchecked: 0 };

  const acknowledge = (key: string, id: number): void => {
    const known = keys.get(key);
    if (known === id) return;
    if (typeof known === 'number') account.keysWithTwoOrders += 1;
    if (ids.has(id)) account.ordersWithTwoKeys += 1;
    account.acknowledged += 1;
    ids.add(id);
    keys.set(key, id);
  };

  return {
    sent: ({ idempotencyKey: key }) => {
      if (key === undefined || keys.has(key)) return;
      if (keys.size >= maxKeys) account.unchecked += 1;
      else keys.set(key, null);
    },
    answered: ({ idempotencyKey: key }, outcome, body) => {
      if (key === undefined || !keys.has(key)) return;
      const id = outcome === 'ok' ? idOf(body) : undefined;
      if (id !== undefined) acknowledge(key, id);
      else if (outcome === 'refused' && keys.get(key) === null && !body.includes('idempotency_in_flight')) keys.set(key, false);
    },
    account: () => {
      const states = [...keys.values()];
      const refused = states.filter((state) => state === false).length;
      return { ...account, refused, unknown: states.filter((state) => state === null).length };
    },
  };
}
