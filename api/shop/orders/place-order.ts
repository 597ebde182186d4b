import { clientNotFound } from '../../auth/principal.ts';
import { textStatement } from '../../db/statement.ts';
import type { Asked, Tx } from '../../db/tx.ts';
import { isKeyFree, keepingAnswer, keepingNothing } from '../../http/at-once.ts';
import type { WrittenRow } from '../../http/view.ts';
import { assertBillOf, createBill, settleBill } from '../bills/bills.ts';
import { lockedProducts, lockProducts, takingStock } from '../stock/stock.ts';
import { orderWithLinesView, type OrderInput } from './order-schema.ts';
import { assertExpectedTotal, assertInStock, totalCentsOf } from './price-order.ts';

/**
 * Order, lines, stock, ledger and answer in one statement: each round trip saved is time in which others wait for the locks.
 * It holds all that `placeOrder` says, and places nothing where that refuses. Named as their tables are, what it inserts
 * is shown by the view itself.
 */
const recordOrder = textStatement<WrittenRow>(
  'order-record',
  `WITH given AS (
     SELECT product_id, quantity, position FROM unnest($9::bigint[], $10::integer[]) WITH ORDINALITY AS given (product_id, quantity, position)
   ), wanted AS (
     SELECT product_id, sum(quantity)::integer AS quantity FROM given GROUP BY product_id
   ), found AS MATERIALIZED (
     ${lockedProducts('$9')}
   ), priced AS (
     SELECT product_id, quantity, price_cents, name, position FROM given JOIN found ON found.id_key = product_id
   ), total AS (
     SELECT coalesce(sum(quantity * price_cents), 0) AS total_cents FROM priced
   ), orders AS (
     INSERT INTO orders (total_cents, delivery_method, client_id, bill_id)
     SELECT (SELECT total_cents FROM total), $6, id_key, $8 FROM clients
     WHERE NOT EXISTS (SELECT FROM wanted LEFT JOIN found ON id_key = product_id WHERE coalesce(stock, 0) < quantity)
       AND ($11::bigint IS NULL OR $11 = (SELECT total_cents FROM total)) AND ${isKeyFree}
       AND id_key = $7 AND deleted_at IS NULL FOR SHARE
     RETURNING *
   ), order_details AS (
     INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name)
     SELECT orders.id_key, product_id, quantity, price_cents, name FROM orders, priced ORDER BY position
     RETURNING *
   ), ${takingStock('wanted', 'order_details')}, answer AS (
     SELECT ${orderWithLinesView.written} FROM orders
   ), ${keepingAnswer('answer')}
   SELECT answer.*, (SELECT count(*) FROM taken) AS taken FROM answer`,
);

/** @param keeping the first values of the statement: what is kept under which key */
const recording = ({ lines, client_id, delivery_method, total }: OrderInput, bill_id: number | null, keeping: readonly unknown[]) => {
  const products = lines.map(({ product_id }) => product_id);
  const quantities = lines.map(({ quantity }) => quantity);
  const expectedCents = lines.length === 0 || total === undefined ? null : Math.round(total * 100);
  return { statement: recordOrder, values: [...keeping, delivery_method, client_id, bill_id, products, quantities, expectedCents] };
};

/** Places the order by one statement that also keeps its answer; undefined for one with a bill, which takes more. */
export const orderAtOnce = (input: OrderInput, keeping: readonly unknown[]): Asked | undefined =>
  input.bill || input.bill_id !== null ? undefined : recording(input, null, keeping);

/**
 * Places an order: takes the stock of all lines, at the prices of this moment, and writes the ledger. Products are locked
 * in id order, so that orders for the same ones wait for each other and never deadlock.
 * @throws not_found when the client, a product or the bill does not exist
 * @throws insufficient_stock naming every product of which there is too little
 * @throws price_mismatch when `total` was given and is another
 * @throws duplicate when another order refers to the bill
 */
export async function placeOrder(tx: Tx, input: OrderInput): Promise<WrittenRow> {
  const { lines } = input;
  const products = await lockProducts(
    tx,
    lines.map(({ product_id }) => product_id),
  );
  assertInStock(lines, products);
  const totalCents = totalCentsOf(
    lines.map(({ product_id, quantity }) => ({ quantity, price_cents: products.get(product_id)!.price_cents })),
  );
  if (lines.length > 0) assertExpectedTotal(input.total, totalCents);

  const billId = await findBill(tx, input);
  const { statement, values } = recording(input, billId, keepingNothing);
  const [placed] = await tx.query(statement, values);
  if (!placed) throw clientNotFound('/client_id');
  if (billId !== null) settleBill(tx, billId, totalCents);
  return placed;
}

/** The bill that the order refers to, locked or just made; null: none. */
async function findBill(tx: Tx, { bill, bill_id, client_id }: OrderInput): Promise<number | null> {
  if (bill) return Number((await createBill(tx, { ...bill, client_id })).id_key);
  if (bill_id !== null) await assertBillOf(tx, bill_id, client_id);
  return bill_id;
}
