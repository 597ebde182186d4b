import type { Pool } from 'pg';
import { runStatement, statement } from '../../db/statement.ts';
import { ApiError } from '../../errors.ts';
import type { OrderLineRow, OrderRow } from './present-order.ts';

const columns = 'id_key, date, total_cents, delivery_method, status, client_id, version';

const oneOrder = statement<OrderRow & { readonly lines: readonly OrderLineRow[] }>(
  'order-one',
  `SELECT ${columns}, (
     SELECT coalesce(json_agg(json_build_object('id_key', line.id_key, 'product_id', line.product_id, 'product_name', line.product_name,
       'quantity', line.quantity, 'price_cents', line.price_cents) ORDER BY line.id_key), '[]')
     FROM order_details line WHERE line.order_id = orders.id_key
   ) AS lines
   FROM orders WHERE id_key = $1 AND ($2::bigint IS NULL OR client_id = $2)`,
);
const allOrders = statement<OrderRow>('order-page', `SELECT ${columns} FROM orders ORDER BY id_key LIMIT $1 OFFSET $2`);
const ordersOfClient = statement<OrderRow>(
  'order-page-of-client',
  `SELECT ${columns} FROM orders WHERE client_id = $3 ORDER BY id_key LIMIT $1 OFFSET $2`,
);

/**
 * @param ofClient whose order it must be; undefined: anyone's
 * @throws not_found also for another's order
 */
export async function readOrder(
  pool: Pool,
  id: number,
  ofClient: number | undefined,
): Promise<OrderRow & { readonly lines: readonly OrderLineRow[] }> {
  const [order] = await runStatement(pool, oneOrder, [id, ofClient ?? null]);
  if (!order) throw new ApiError('not_found', 'The order does not exist.');
  return order;
}

export type OrderPage = { readonly skip: number; readonly limit: number; readonly ofClient: number | undefined };

export function readOrders(pool: Pool, { skip, limit, ofClient }: OrderPage): Promise<OrderRow[]> {
  if (ofClient === undefined) return runStatement(pool, allOrders, [limit, skip]);
  return runStatement(pool, ordersOfClient, [limit, skip, ofClient]);
}
