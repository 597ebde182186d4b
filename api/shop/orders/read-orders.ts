import { textStatement, unseen } from '../../db/statement.ts';
import type { Db } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import type { Written, WrittenRow } from '../../http/view.ts';
import { askEachPage, askPage, pageOf, pagesOfEach, type Page, type WrittenPage } from '../pages.ts';
import { orderEventView, orderView, orderWithLinesView } from './order-schema.ts';

type Owned = { readonly client_id: string };

const ordersById = textStatement<WrittenRow & Owned>(
  'orders-by-id',
  `SELECT ${orderWithLinesView.written}, client_id FROM orders WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`,
);
const allOrders = pageOf('order-page', orderView, 'orders');
const ordersOfClient = pagesOfEach('order-pages-of-clients', orderView, 'orders', {
  asked: ['client'],
  condition: 'client_id = asked.client',
});

const orderNotFound = (): ApiError => new ApiError('not_found', 'The order does not exist.');

/**
 * @param only whose order it must be; undefined: anyone's
 * @throws not_found also for another's order
 */
export const readOrder = (db: Db, id: number, only: number | undefined): Promise<WrittenRow> =>
  db.byId(ordersById, id).then((order) => assertOwn(order, only));

function assertOwn<Row extends Owned>(row: Row | undefined, only: number | undefined): Row {
  if (!row || (only !== undefined && row.client_id !== String(only))) throw orderNotFound();
  return row;
}

/** @param only whose orders; undefined: everyone's */
export function readOrders(db: Db, page: Page, only: number | undefined): Promise<WrittenPage> {
  return only === undefined ? askPage(db, allOrders, page) : askEachPage(db, ordersOfClient, page, [only]);
}

const eventsOfOrders = textStatement<Written & Owned & { readonly id_key: string }>(
  'orders-events',
  `SELECT id_key, client_id, (
     SELECT ${orderEventView.listSql} FROM (SELECT ${orderEventView.select} FROM order_events WHERE order_id = orders.id_key ORDER BY id_key) AS events
   ) AS json FROM orders WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`,
);

/**
 * What happened to it, oldest first.
 * @param only whose order it must be; undefined: anyone's
 * @throws not_found also for another's order
 */
export const readOrderEvents = (db: Db, id: number, only: number | undefined): Promise<Written> =>
  db.byId(eventsOfOrders, id).then((events) => assertOwn(events, only));
