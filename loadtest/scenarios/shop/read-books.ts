import { Client } from 'pg';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import type { LineReturns, Movement, StoredBooks, StoredOrder, StoredProduct } from './stored-books.ts';

/** Where the ledger stood when a run began. */
export type Mark = { readonly lastMovement: number };

const markSql = 'SELECT coalesce(max(id), 0)::float8 AS "lastMovement" FROM stock_movements';

const ordersSql = `
  SELECT id_key::float8 AS id, client_id::float8 AS client, total_cents::float8 AS "totalCents", delivery_method AS "deliveryMethod",
    status, version, (
      SELECT coalesce(json_agg(json_build_object('id', line.id_key, 'product', line.product_id, 'quantity', line.quantity,
        'priceCents', line.price_cents, 'name', line.product_name) ORDER BY line.id_key), '[]')
      FROM order_details line WHERE line.order_id = orders.id_key
    ) AS lines
  FROM orders WHERE client_id = ANY ($1::bigint[]) ORDER BY id_key`;

const movementColumns =
  'id::float8 AS id, product_id::float8 AS product, quantity, reason, order_id::float8 AS "order", order_detail_id::float8 AS line';

const movementsSql = `
  SELECT ${movementColumns} FROM stock_movements
  WHERE order_id IN (SELECT id_key FROM orders WHERE client_id = ANY ($1::bigint[])) ORDER BY id`;

const strayMovementsSql = `
  SELECT ${movementColumns} FROM stock_movements
  WHERE id > $1 AND reason = 'sale' AND (order_id IS NULL OR order_detail_id IS NULL) ORDER BY id LIMIT 1000`;

const returnsSql = `
  SELECT id_key::float8 AS line, returned AS pieces FROM order_details
  WHERE returned > 0 AND order_id IN (SELECT id_key FROM orders WHERE client_id = ANY ($1::bigint[])) ORDER BY id_key`;

const productsSql = `
  SELECT id_key::float8 AS id, stock, coalesce(moved, 0)::float8 AS moved,
    coalesce(restocked, 0)::float8 AS restocked, coalesce(restocks, 0)::float8 AS restocks
  FROM products LEFT JOIN (
    SELECT product_id, sum(quantity) AS moved, sum(quantity) FILTER (WHERE id > $1 AND reason <> 'sale') AS restocked,
      count(*) FILTER (WHERE id > $1 AND reason <> 'sale') AS restocks
    FROM stock_movements GROUP BY product_id
  ) AS ledger ON ledger.product_id = products.id_key`;

/** A large shop's ledger takes a while to sum up; nobody waits for it. */
const statementTimeoutMs = 60_000;

/** @throws when the database cannot be read */
export function markLedger(postgres: PostgresSettings): Promise<Mark> {
  return reading(postgres, async (client) => {
    const [mark] = (await client.query<Mark>(markSql)).rows;
    return mark ?? { lastMovement: 0 };
  });
}

/**
 * The books of one moment, so that no order can slip in between two of the readings.
 * @param buyers ids of the run's client accounts
 * @throws when the database cannot be read
 */
export function readStoredBooks(postgres: PostgresSettings, { lastMovement }: Mark, buyers: readonly number[]): Promise<StoredBooks> {
  return reading(postgres, async (client) => ({
    orders: (await client.query<StoredOrder>(ordersSql, [buyers])).rows,
    ledger: {
      movements: (await client.query<Movement>(movementsSql, [buyers])).rows,
      strayMovements: (await client.query<Movement>(strayMovementsSql, [lastMovement])).rows,
      products: (await client.query<StoredProduct>(productsSql, [lastMovement])).rows,
      returns: (await client.query<LineReturns>(returnsSql, [buyers])).rows,
    },
  }));
}

async function reading<T>(postgres: PostgresSettings, read: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...clientOptions(postgres, 'atalaya-loadtest'), query_timeout: statementTimeoutMs });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return await read(client);
  } finally {
    await client.end().catch(() => {});
  }
}
