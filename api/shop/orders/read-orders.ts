import { statement } from '../../db/statement.ts';
import type { Db } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import type { Shown } from '../../http/view.ts';
import { pageOf, pageValues, type Page } from '../pages.ts';
import { lineView, orderEventView, orderView, type orderWithLinesView } from './order-schema.ts';

export type OrderRow = Shown<typeof orderView>;
export type OrderWithLines = Shown<typeof orderWithLinesView>;

const lineMembers = lineView.columns.map((column) => `'${column}', line.${column}`).join(', ');

const oneOrder = statement<OrderWithLines>(
  'order-one',
  `SELECT ${orderView.select}, (
     SELECT coalesce(json_agg(json_build_object(${lineMembers}) ORDER BY line.id_key), '[]')
     FROM order_details line WHERE line.order_id = orders.id_key
   ) AS lines
   FROM orders WHERE id_key = $1 AND ($2::bigint IS NULL OR client_id = $2)`,
);
const allOrders = statement<OrderRow>('order-page', `SELECT ${orderView.select} ${pageOf('orders')}`);
const ordersOfClient = statement<OrderRow>('order-page-of-client', `SELECT ${orderView.select} ${pageOf('orders', 'client_id = $4')}`);

/**
 * @param only whose order it must be; undefined: anyone's
 * @throws not_found also for another's order
 */
export async function readOrder(db: Db, id: number, only: number | undefined): Promise<OrderWithLines> {
  const [order] = await db.query(oneOrder, [id, only ?? null]);
  if (!order) throw new ApiError('not_found', 'The order does not exist.');
  return order;
}

/** @param only whose orders; undefined: everyone's */
export function readOrders(db: Db, page: Page, only: number | undefined): Promise<OrderRow[]> {
  if (only === undefined) return db.query(allOrders, pageValues(page));
  return db.query(ordersOfClient, [...pageValues(page), only]);
}

const eventsOfOrder = statement<Shown<typeof orderEventView>>(
  'order-events',
  `SELECT ${orderEventView.select} FROM order_events WHERE order_id = $1 ORDER BY id_key`,
);

/**
 * What happened to it, oldest first.
 * @param only whose order it must be; undefined: anyone's
 * @throws not_found also for another's order
 */
export async function readOrderEvents(db: Db, id: number, only: number | undefined): Promise<Shown<typeof orderEventView>[]> {
  await readOrder(db, id, only);
  return db.query(eventsOfOrder, [id]);
}
