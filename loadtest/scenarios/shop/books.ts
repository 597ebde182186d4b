import { Client } from 'pg';
import { messageOf } from '#lib/errors.ts';
import { clientOptions } from '#lib/postgres.ts';
import { createHttpClient } from '../../targets/http-client.ts';
import type { Target } from '../../targets/target.ts';
import { countOrders, type ShopClient } from './clients.ts';

/** The shop's own books after a run; null where there was no access. */
export type ShopBooks = {
  /** Orders the shop has for the run's buyers. */
  readonly ordersStored: number | null;
  /** Products whose stock is not the sum of its movements. */
  readonly ledgerMismatches: number | null;
  readonly negativeStock: number | null;
  /** Why something above is null, for people. */
  readonly notes: readonly string[];
};

/** Reads the books of a shop at rest. Never rejects. */
export async function readShopBooks(target: Target, clients: readonly ShopClient[]): Promise<ShopBooks> {
  const notes: string[] = [];
  const orNote = (err: unknown): null => {
    notes.push(messageOf(err));
    return null;
  };
  const ordersStored = await storedOrders(target, clients).catch(orNote);
  const ledger = await readLedger(target).catch(orNote);
  return { ordersStored, ledgerMismatches: ledger?.mismatches ?? null, negativeStock: ledger?.negative ?? null, notes };
}

async function storedOrders(target: Target, clients: readonly ShopClient[]): Promise<number> {
  const http = createHttpClient(target.origin);
  try {
    return await countOrders(http, clients);
  } finally {
    await http.close();
  }
}

type Ledger = { readonly mismatches: number; readonly negative: number };

const ledgerSql = `
  SELECT count(*) FILTER (WHERE stock <> coalesce(moved, 0))::int AS mismatches, count(*) FILTER (WHERE stock < 0)::int AS negative
  FROM products LEFT JOIN (SELECT product_id, sum(quantity) AS moved FROM stock_movements GROUP BY product_id) AS ledger
    ON ledger.product_id = products.id_key`;

const queryTimeoutMs = 10_000;

async function readLedger({ postgres }: Target): Promise<Ledger | undefined> {
  if (postgres === undefined) throw new Error('no access to the database: set POSTGRES_HOST');
  const client = new Client({ ...clientOptions(postgres, 'atalaya-loadtest'), query_timeout: queryTimeoutMs });
  // A lost connection shows as a query that rejects.
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<Ledger>(ledgerSql)).rows[0];
  } catch (err) {
    throw new Error(`the database could not be read: ${messageOf(err)}`, { cause: err });
  } finally {
    await client.end().catch(() => {});
  }
}
