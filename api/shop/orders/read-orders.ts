import { textStatement } from '../../db/statement.ts';
import type { Db } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import type { Written, WrittenRow } from '../../http/view.ts';
import { askPage, pageOf, type Page, type WrittenPage } from '../pages.ts';
import { orderEventView, orderView, orderWithLinesView } from './order-schema.ts';

const oneOrder = textStatement<WrittenRow>(
  'order-one',
  `SELECT ${orderWithLinesView.written} FROM orders WHERE id_key = $1 AND ($2::bigint IS NULL OR client_id = $2)`,
);
const allOrders = pageOf('order-page', orderView, 'orders');
const ordersOfClient = pageOf('order-page-of-client', orderView, 'orders', 'client_id = $4');

const orderNotFound = (): ApiError => new ApiError('not_found', 'The order does not exist.');

/**
 * @param only whose order it must be; undefined: anyone's
 * @throws not_found also for another's order
 */
export async function readOrder(db: Db, id: number, only: number | undefined): Promise<WrittenRow> {
  const [order] = await db.query(oneOrder, [id, only ?? null]);
  if (!order) throw orderNotFound();
  return order;
}

/** @param only whose orders; undefined: everyone's */
export function readOrders(db: Db, page: Page, only: number | undefined): Promise<WrittenPage> {
  return only === undefined ? askPage(db, allOrders, page) : askPage(db, ordersOfClient, page, [only]);
}

const eventsOfOrder = textStatement<Written>(
  'order-events',
  `SELECT (
     SELECT ${orderEventView.listSql} FROM (SELECT ${orderEventView.select} FROM order_events WHERE order_id = orders.id_key ORDER BY id_key) AS events
   ) AS json FROM orders WHERE id_key = $1 AND ($2::bigint IS NULL OR client_id = $2)`,
);

/**
 * What happened to it, oldest first.
 * @param only whose order it must be; undefined: anyone's
 * @throws not_found also for another's order
 */
export async function readOrderEvents(db: Db, id: number, only: number | undefined): Promise<Written> {
  const [events] = await db.query(eventsOfOrder, [id, only ?? null]);
  if (!events) throw orderNotFound();
  return events;
}
