import type { Principal } from '../../auth/principal.ts';
import { statement, textStatement, unseen } from '../../db/statement.ts';
import type { Db, Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import type { Shown, WrittenRow } from '../../http/view.ts';
import { askEachPage, askPage, pageOf, pagesOfEach, type Page, type WrittenPage } from '../pages.ts';
import { jsonDecimal } from '../money.ts';
import { lockOrder, lockOrderOfLine, retotal, type LockedOrder } from '../orders/change-order.ts';
import { assertEditable } from '../orders/order-machine.ts';
import { lockOf, lockOfLine, lockProducts, moveStock, type LockedProduct } from '../stock/stock.ts';
import { assertVersion } from '../versioned.ts';
import { orderDetailView, type OrderDetailChanges, type OrderDetailInput } from './order-detail-schema.ts';

/** The lines of orders, one by one: the way in which clients of the original fill an order that started empty. */

type Line = Shown<typeof orderDetailView>;
type LockedLine = Line & { readonly id_key: number; readonly quantity: number; readonly price_cents: number; readonly version: number };

const linesById = textStatement<WrittenRow & { readonly client_id: string }>(
  'lines-by-id',
  `SELECT ${orderDetailView.written}, (SELECT client_id FROM orders WHERE id_key = order_id) AS client_id
   FROM order_details WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`,
);
/** Looked up order by order, however much of the table a plan made from counts would rather read. */
const theirLines = `SELECT line.id_key FROM orders CROSS JOIN LATERAL (
  SELECT id_key FROM order_details WHERE order_id = orders.id_key OFFSET 0
) AS line WHERE client_id = asked.client`;
const allLines = pageOf('line-page', orderDetailView, 'order_details');
const linesOfClient = pagesOfEach('line-pages-of-clients', orderDetailView, 'order_details', {
  asked: ['client'],
  condition: `id_key = ANY (ARRAY(${theirLines}))`,
});
const linesOfOrder = pagesOfEach('line-pages-of-orders', orderDetailView, 'order_details', {
  asked: ['client', 'order_id'],
  condition:
    'order_id = asked.order_id AND (asked.client IS NULL OR order_id IN (SELECT id_key FROM orders WHERE client_id = asked.client))',
});

const notFound = (): ApiError => new ApiError('not_found', 'The line does not exist.');

/**
 * @param only whose line it must be; undefined: anyone's
 * @throws not_found also for another's
 */
export const readOrderDetail = (db: Db, id: number, only: number | undefined): Promise<WrittenRow> =>
  db.byId(linesById, id).then((line) => {
    if (!line || (only !== undefined && line.client_id !== String(only))) throw notFound();
    return line;
  });

/** @param only whose lines; undefined: everyone's */
export function readOrderDetails(
  db: Db,
  page: Page,
  { only, orderId }: { readonly only: number | undefined; readonly orderId: number | undefined },
): Promise<WrittenPage> {
  if (orderId !== undefined) return askEachPage(db, linesOfOrder, page, [only ?? null, orderId]);
  return only === undefined ? askPage(db, allLines, page) : askEachPage(db, linesOfClient, page, [only]);
}

const recordLine = statement<LockedLine>(
  'line-record',
  `INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name) VALUES ($1, $2, $3, $4, $5)
   RETURNING ${orderDetailView.select}`,
);

/**
 * Adds a line to a pending order, at the price of this moment, and takes its stock.
 * @throws not_found for the order, another's too, or the product; illegal_transition; insufficient_stock; price_mismatch
 */
export async function addOrderDetail(tx: Tx, input: OrderDetailInput, principal: Principal): Promise<Line> {
  const { order_id, product_id, quantity } = input;
  const locking = lockOrder(tx, { id: order_id, principal });
  void tx.foresee(lockOf([product_id])!);
  const order = await locking.catch((err: unknown) => {
    throw at('/order_id', err);
  });
  assertEditable(order.status);
  const product = (await lockProducts(tx, [product_id])).get(product_id);
  if (!product) throw at('/product_id', new ApiError('not_found', 'The product does not exist.'));
  assertPrice(input.price, product.price_cents);
  assertEnough({ product_id, requested: quantity, available: product.stock });
  const [line] = (await tx.query(recordLine, [order_id, product_id, quantity, product.price_cents, product.name])) as [LockedLine];
  const moves = [{ productId: product_id, quantity: -quantity, lineId: line.id_key }];
  retotal(tx, order);
  await moveStock(tx, moves, { reason: 'sale', orderId: order_id });
  return line;
}

const isNotFound = (err: unknown): err is ApiError => err instanceof ApiError && err.code === 'not_found';

const at = (pointer: string, err: unknown): unknown =>
  isNotFound(err) ? new ApiError('not_found', err.message, { errors: [{ pointer, message: 'does not exist' }] }) : err;

function assertPrice(expected: number | undefined, priceCents: number): void {
  if (expected === undefined || Math.round(expected * 100) === priceCents) return;
  throw new ApiError('price_mismatch', 'The price is another than the one sent; nothing was changed.', {
    errors: [{ pointer: '/price', message: 'is not the price of the product' }],
    extensions: { price: jsonDecimal(priceCents) },
  });
}

function assertEnough(wanted: { readonly product_id: number; readonly requested: number; readonly available: number }): void {
  if (wanted.requested <= wanted.available) return;
  throw new ApiError('insufficient_stock', 'There is not enough in stock; nothing was changed.', {
    errors: [{ pointer: '/quantity', message: 'is more than there is in stock' }],
    extensions: { products: [wanted] },
  });
}

export type Addressed = { readonly id: number; readonly principal: Principal; readonly ifMatch: readonly number[] | undefined };

const changeLine = statement('line-change', 'UPDATE order_details SET quantity = $2, version = version + 1 WHERE id_key = $1');

/**
 * Changes how many pieces a line of a pending order has; only the difference moves.
 * @throws not_found also for another's, version_mismatch, illegal_transition, insufficient_stock, price_mismatch
 * @throws validation_failed when it would become another product's or order's line
 */
export async function updateOrderDetail(tx: Tx, changes: OrderDetailChanges, addressed: Addressed): Promise<Line> {
  const { order, line, product } = await lock(tx, addressed);
  for (const field of ['order_id', 'product_id'] as const) {
    if ((changes[field] ?? line[field]) === line[field]) continue;
    const errors = [{ pointer: `/${field}`, message: 'is not the one it has; take this line out and add another' }];
    throw new ApiError('validation_failed', 'The line cannot be changed so.', { errors });
  }
  assertPrice(changes.price, line.price_cents);
  const { quantity = line.quantity } = changes;
  const productId = Number(line.product_id);
  assertEnough({ product_id: productId, requested: quantity, available: (product?.stock ?? 0) + line.quantity });
  tx.atEnd({ statement: changeLine, values: [line.id_key, quantity] });
  retotal(tx, order);
  const moves = [{ productId, quantity: line.quantity - quantity, lineId: line.id_key }];
  if (quantity !== line.quantity) await moveStock(tx, moves, { reason: 'sale', orderId: order.id_key });
  return { ...line, quantity, version: line.version + 1 };
}

const removeLine = statement('line-remove', 'DELETE FROM order_details WHERE id_key = $1');

/**
 * Takes a line out of a pending order, and returns its stock.
 * @throws not_found also for another's, version_mismatch, or illegal_transition
 */
export async function deleteOrderDetail(tx: Tx, addressed: Addressed): Promise<void> {
  const { order, line } = await lock(tx, addressed);
  tx.atEnd({ statement: removeLine, values: [line.id_key] });
  retotal(tx, order);
  const moves = [{ productId: Number(line.product_id), quantity: line.quantity, lineId: line.id_key }];
  await moveStock(tx, moves, { reason: 'sale', orderId: order.id_key });
}

const oneLine = statement<LockedLine>('line-of', `SELECT ${orderDetailView.select} FROM order_details WHERE id_key = $1`);

type Locked = { readonly order: LockedOrder; readonly line: LockedLine; readonly product: LockedProduct | undefined };

/**
 * Order first, then its product; its lock holds for its lines too, so the line is read under it. All goes in one piece with BEGIN, since
 * the database itself looks up whose line it is.
 */
async function lock(tx: Tx, { id, principal, ifMatch }: Addressed): Promise<Locked> {
  const productLock = lockOfLine(id);
  const asked = [
    lockOrderOfLine(tx, { id, principal }),
    tx.query(oneLine, [id]),
    tx.query(productLock.statement, productLock.values),
  ] as const;
  // Whoever is refused by the first does not wait for the others.
  for (const one of asked) one.catch(() => {});
  const order = await asked[0];
  const [[line], [product]] = [await asked[1], await asked[2]];
  assertVersion(line, ifMatch, 'line');
  assertEditable(order.status);
  return { order, line, product };
}
