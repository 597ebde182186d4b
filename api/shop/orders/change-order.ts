import { onlyClient, type Principal } from '../../auth/principal.ts';
import { statement } from '../../db/statement.ts';
import type { Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import type { WrittenRow } from '../../http/view.ts';
import { assertBillOf, settleBill, settleBillByOrder } from '../bills/bills.ts';
import { lockProducts, moveStock } from '../stock/stock.ts';
import { assertVersion } from '../versioned.ts';
import {
  assertEditable,
  assertMayBecome,
  assertRefundable,
  canceled,
  linesToReturn,
  refundCents,
  type ReturnableLine,
  type Status,
} from './order-machine.ts';
import type { OrderChanges, RefundInput } from './order-schema.ts';
import { readOrder } from './read-orders.ts';

/** What happens to an order after it was placed. Whoever changes one locks it first, and only then the products of its lines. */

export type LockedOrder = {
  readonly id_key: number;
  readonly status: Status;
  readonly client_id: number;
  readonly bill_id: number | null;
  readonly total_cents: number;
  readonly refunded_cents: number;
  readonly delivery_method: number;
  readonly version: number;
};

/** `principal`: who asks; to a customer, another's order does not exist. */
export type Addressed = { readonly id: number; readonly principal: Principal; readonly ifMatch?: readonly number[] | undefined };

/** A customer is held too: one that is deleted meanwhile must not leave the answer of a change behind. */
const locking = (id: string): string =>
  `SELECT id_key, status, client_id, bill_id, total_cents, refunded_cents, delivery_method, version
   FROM orders WHERE id_key = ${id} AND ($2::bigint IS NULL OR client_id = $2
     AND EXISTS (SELECT FROM clients WHERE clients.id_key = $2 AND deleted_at IS NULL FOR SHARE)) FOR NO KEY UPDATE`;
const lock = statement<LockedOrder>('order-lock', locking('$1'));
const lockByLine = statement<LockedOrder>('order-lock-by-line', locking('(SELECT order_id FROM order_details WHERE id_key = $1)'));

/** @throws not_found also for another's, or version_mismatch */
export async function lockOrder(tx: Tx, { id, principal, ifMatch }: Addressed): Promise<LockedOrder> {
  const [order] = await tx.query(lock, [id, onlyClient(principal) ?? null]);
  assertVersion(order, ifMatch, 'order');
  return order;
}

/** The order of a line, which stays its order's. @throws not_found also for another's */
export async function lockOrderOfLine(tx: Tx, { id, principal }: Addressed): Promise<LockedOrder> {
  const [order] = await tx.query(lockByLine, [id, onlyClient(principal) ?? null]);
  assertVersion(order, undefined, 'line');
  return order;
}

const change = statement(
  'order-change',
  `UPDATE orders SET status = $2, delivery_method = $3, bill_id = $4, version = version + 1, updated_at = now() WHERE id_key = $1`,
);

/**
 * Changes the fields given; a new status as `order-machine` allows, and of customers only to canceled, which returns the stock.
 * @throws not_found, version_mismatch, illegal_transition, forbidden
 * @throws validation_failed when it would change its client or its bill
 */
export async function changeOrder(tx: Tx, changes: OrderChanges, addressed: Addressed): Promise<WrittenRow> {
  const order = await lockOrder(tx, addressed);
  const { status = order.status, delivery_method = order.delivery_method, bill_id = order.bill_id, client_id = order.client_id } = changes;
  if (status !== order.status) assertMayBecome(order.status, status);
  if (status !== order.status && status !== canceled && addressed.principal.kind === 'customer')
    throw new ApiError('forbidden', 'A customer may only cancel an order.');
  if (client_id !== order.client_id) throw refused('/client_id', 'is not the client whose order it is');
  if (delivery_method !== order.delivery_method || bill_id !== order.bill_id) assertEditable(order.status);
  if (bill_id !== order.bill_id) {
    if (order.bill_id !== null || bill_id === null) throw refused('/bill_id', 'is not the bill that it has');
    await assertBillOf(tx, bill_id, order.client_id);
  }
  await tx.query(change, [order.id_key, status, delivery_method, bill_id]);
  if (bill_id !== null && bill_id !== order.bill_id) settleBill(tx, bill_id, order.total_cents);
  if (status !== order.status) await follow(tx, { ...order, bill_id }, status, addressed.principal);
  return readOrder(tx, order.id_key, undefined);
}

const refused = (pointer: string, message: string): ApiError =>
  new ApiError('validation_failed', 'The order cannot be changed so.', { errors: [{ pointer, message }] });

/** All that a new status brings with it. */
async function follow(tx: Tx, order: LockedOrder, status: Status, principal: Principal): Promise<void> {
  if (status === canceled) {
    const lines = await tx.query(linesOf, [order.id_key]);
    const left = lines.flatMap((line) => (line.quantity > line.returned ? [{ line, quantity: line.quantity - line.returned }] : []));
    await takeBack(tx, order, left, { restock: true });
    if (order.bill_id !== null) settleBill(tx, order.bill_id, 0);
  }
  await tx.query(recordEvent, [order.id_key, 'status', order.status, status, 0, principal.kind]);
}

/** @throws not_found also for another's, version_mismatch, or illegal_transition, when it is canceled already too */
export async function cancelOrder(tx: Tx, addressed: Addressed): Promise<WrittenRow> {
  const order = await lockOrder(tx, addressed);
  assertMayBecome(order.status, canceled);
  return changeOrder(tx, { status: canceled }, addressed);
}

const linesOf = statement<ReturnableLine>(
  'order-lines',
  'SELECT id_key, product_id, quantity, price_cents, returned FROM order_details WHERE order_id = $1 ORDER BY id_key',
);
const returnLines = statement(
  'order-lines-return',
  `UPDATE order_details SET returned = returned + given.quantity, version = version + 1
   FROM unnest($1::bigint[], $2::integer[]) AS given (id, quantity) WHERE id_key = given.id`,
);
const recordEvent = statement(
  'order-event',
  'INSERT INTO order_events (order_id, event, status_before, status, refunded_cents, caused_by) VALUES ($1, $2, $3, $4, $5, $6)',
);

/** Writes down what comes back, and puts it in stock again where it can be sold. */
async function takeBack(
  tx: Tx,
  { id_key: orderId }: LockedOrder,
  back: ReturnType<typeof linesToReturn>,
  { restock }: { readonly restock: boolean },
): Promise<void> {
  if (back.length === 0) return;
  await tx.query(returnLines, [back.map(({ line }) => line.id_key), back.map(({ quantity }) => quantity)]);
  if (!restock) return;
  const moves = back.map(({ line, quantity }) => ({ productId: line.product_id, quantity, lineId: line.id_key }));
  await lockProducts(
    tx,
    moves.map(({ productId }) => productId),
  );
  await moveStock(tx, moves, { reason: 'return', orderId });
}

const refund = statement(
  'order-refund',
  'UPDATE orders SET refunded_cents = refunded_cents + $2, version = version + 1, updated_at = now() WHERE id_key = $1',
);
const billed = statement<{ total_cents: number }>('order-billed', 'SELECT total_cents FROM bills WHERE id_key = $1');

/**
 * Takes back pieces of an order, and writes down what is to be paid back for them. Never more than was sold, however often
 * it is asked.
 * @throws not_found for the order or a line, version_mismatch, illegal_transition, or validation_failed for too many pieces
 */
export async function refundOrder(tx: Tx, { lines: asked, restock }: RefundInput, addressed: Addressed): Promise<WrittenRow> {
  const order = await lockOrder(tx, addressed);
  assertRefundable(order.status);
  const back = linesToReturn(await tx.query(linesOf, [order.id_key]), asked);
  const [bill] = order.bill_id === null ? [] : await tx.query(billed, [order.bill_id]);
  const cents = refundCents(back, bill?.total_cents ?? order.total_cents, order.refunded_cents);
  await takeBack(tx, order, back, { restock });
  await tx.query(refund, [order.id_key, cents]);
  await tx.query(recordEvent, [order.id_key, 'refund', order.status, order.status, cents, addressed.principal.kind]);
  return readOrder(tx, order.id_key, undefined);
}

const removeLines = statement('order-lines-remove', 'DELETE FROM order_details WHERE order_id = $1');
const remove = statement('order-remove', 'DELETE FROM orders WHERE id_key = $1');

/**
 * Deletes an order that is canceled, or pending, whose stock is returned first. The ledger keeps what it tells of it.
 * @throws not_found, version_mismatch, or illegal_transition for one that is being worked on or was delivered
 */
export async function deleteOrder(tx: Tx, addressed: Addressed): Promise<void> {
  const order = await lockOrder(tx, addressed);
  if (order.status !== canceled) {
    assertEditable(order.status);
    await follow(tx, order, canceled, addressed.principal);
  }
  await tx.query(removeLines, [order.id_key]);
  await tx.query(remove, [order.id_key]);
}

const total = statement(
  'order-total',
  `UPDATE orders SET version = version + 1, updated_at = now(),
     total_cents = (SELECT coalesce(sum(quantity * price_cents), 0) FROM order_details WHERE order_id = $1)
   WHERE id_key = $1`,
);

/** Brings an order, and its bill, to what its lines make, at the end of the transaction. */
export function retotal(tx: Tx, { id_key: id, bill_id: billId }: LockedOrder): void {
  tx.atEnd({ statement: total, values: [id] });
  if (billId !== null) settleBillByOrder(tx, billId, id);
}
