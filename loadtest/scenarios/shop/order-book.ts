import type { Outcome } from '../../measurement/measurement.ts';
import { idOf, type ShopRequest } from './answers.ts';

/** What the buyers of one process know of their orders when all is over; one event of the measurement. */
export type OrderAccount = {
  /** Distinct orders the shop said yes to. */
  readonly acknowledged: number;
  /** Keys whose order was refused for good. */
  readonly refused: number;
  /** Keys of which the buyer does not know whether the order exists. */
  readonly unknown: number;
  /** One key answered with two different orders. */
  readonly keysWithTwoOrders: number;
  /** One order given as the answer to two keys. */
  readonly ordersWithTwoKeys: number;
  /** Beyond what is kept in memory. */
  readonly unchecked: number;
};

export const noOrders: OrderAccount = { acknowledged: 0, refused: 0, unknown: 0, keysWithTwoOrders: 0, ordersWithTwoKeys: 0, unchecked: 0 };

/** The accounts of several processes as one. */
export function sumAccounts(accounts: readonly OrderAccount[]): OrderAccount {
  const sum: Record<keyof OrderAccount, number> = { ...noOrders };
  for (const account of accounts) for (const name of Object.keys(noOrders) as (keyof OrderAccount)[]) sum[name] += account[name];
  return sum;
}

/** More keys than this are counted, but no longer checked one by one. */
const maxKeys = 500_000;

/**
 * What the buyers know about their orders: by Idempotency-Key, whether the shop said yes and with which id. Compared
 * afterwards with what the shop itself has on its books.
 */
export type OrderBook = {
  readonly sent: (request: ShopRequest) => void;
  readonly answered: (request: ShopRequest, outcome: Outcome, body: string) => void;
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
