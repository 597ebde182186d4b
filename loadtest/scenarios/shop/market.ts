import type { AskedLine } from './look-at-orders.ts';
import type { Sales } from './look-at-products.ts';

/** What the buyers of one process know together: what was sold, and whose orders there are. In bounded memory. */
export type Market = {
  /** Before an order is sent: from now on it may take its pieces. */
  readonly asked: (lines: readonly AskedLine[]) => void;
  /** The shop has said yes. */
  readonly acknowledged: (
    order: { readonly id: number; readonly client: number; readonly lines: readonly AskedLine[] },
    nowMs: number,
  ) => void;
  /** What an answer to a request sent at `sentMs` must take into account. */
  readonly salesFor: (sentMs: number) => Sales;
  /** The last order of somebody else; undefined when there is none yet. */
  readonly foreignOrder: (client: number) => number | undefined;
};

/** No request is under way for longer. */
const memoryMs = 60_000;
const maxForeign = 64;

type Sold = { readonly atMs: number; readonly total: number };

export function createMarket(): Market {
  const asked = new Map<number, number>();
  /** Of each product, how many were sold by when; the first entry stands for everything before. */
  const sold = new Map<number, Sold[]>();
  const recent: { readonly id: number; readonly client: number }[] = [];

  const sell = ({ product, quantity }: AskedLine, nowMs: number): void => {
    const log = sold.get(product) ?? [];
    log.push({ atMs: nowMs, total: (log.at(-1)?.total ?? 0) + quantity });
    while ((log[1]?.atMs ?? nowMs) < nowMs - memoryMs) log.shift();
    sold.set(product, log);
  };
  return {
    asked: (lines) => {
      for (const { product, quantity } of lines) asked.set(product, (asked.get(product) ?? 0) + quantity);
    },
    acknowledged: ({ id, client, lines }, nowMs) => {
      for (const line of lines) sell(line, nowMs);
      recent.push({ id, client });
      if (recent.length > maxForeign) recent.shift();
    },
    salesFor: (sentMs) => ({
      acknowledged: (product) => sold.get(product)?.findLast(({ atMs }) => atMs < sentMs)?.total ?? 0,
      asked: (product) => asked.get(product) ?? 0,
    }),
    foreignOrder: (client) => recent.findLast((order) => order.client !== client)?.id,
  };
}
