import { clientNotFound } from '../../auth/principal.ts';
import { statement } from '../../db/statement.ts';
import type { Tx } from '../../db/tx.ts';
import type { Shown } from '../../http/view.ts';
import { assertBillOf, createBill, settleBill } from '../bills/bills.ts';
import { assertTaken, lockProducts, productsMissing, takingStock, type LockedProduct } from '../stock/stock.ts';
import type { OrderInput, orderWithLinesView } from './order-schema.ts';
import { assertExpectedTotal, assertInStock, totalCentsOf } from './price-order.ts';

type Line = OrderInput['lines'][number];
type Products = ReadonlyMap<number, LockedProduct>;

type Recorded = {
  readonly id_key: number;
  readonly date: Date;
  readonly status: number;
  readonly version: number;
  readonly line_ids: readonly number[];
  readonly missing: number;
};

/** Order, lines, stock and ledger in one statement: each round trip saved is time in which others wait for the locks. */
const recordOrder = statement<Recorded>(
  'order-record',
  `WITH placed AS (
     INSERT INTO orders (total_cents, delivery_method, client_id, bill_id)
     SELECT $1, $2, id_key, $8 FROM clients WHERE id_key = $3 AND deleted_at IS NULL FOR SHARE
     RETURNING id_key, date, status, version
   ), lines AS (
     INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name)
     SELECT placed.id_key, line.product_id, line.quantity, line.price_cents, line.product_name
     FROM placed, unnest($4::bigint[], $5::integer[], $6::bigint[], $7::text[])
       WITH ORDINALITY AS line (product_id, quantity, price_cents, product_name, position)
     ORDER BY line.position
     RETURNING id_key, order_id, product_id, quantity
   ), ${takingStock('lines')}
   SELECT id_key, date, status, version, ${productsMissing} AS missing,
     (SELECT coalesce(json_agg(lines.id_key ORDER BY lines.id_key), '[]') FROM lines) AS line_ids
   FROM placed`,
);

/**
 * Places an order: takes the stock of all lines, at the prices of this moment, and writes the ledger. Products are locked
 * in id order, so that orders for the same ones wait for each other and never deadlock.
 * @throws not_found when the client, a product or the bill does not exist
 * @throws insufficient_stock naming every product of which there is too little
 * @throws price_mismatch when `total` was given and is another
 * @throws duplicate when another order refers to the bill
 */
export async function placeOrder(tx: Tx, input: OrderInput): Promise<Shown<typeof orderWithLinesView>> {
  const { lines, client_id, delivery_method } = input;
  const products = await lockProducts(
    tx,
    lines.map(({ product_id }) => product_id),
  );
  assertInStock(lines, products);
  const priced = lines.map((line) => ({ ...line, ...priceOf(products, line) }));
  const total_cents = totalCentsOf(priced);
  if (lines.length > 0) assertExpectedTotal(input.total, total_cents);

  const bill_id = await findBill(tx, input);
  const [recorded] = await tx.query(recordOrder, [
    total_cents,
    delivery_method,
    client_id,
    priced.map(({ product_id }) => product_id),
    priced.map(({ quantity }) => quantity),
    priced.map(({ price_cents }) => price_cents),
    priced.map(({ product_name }) => product_name),
    bill_id,
  ]);
  if (!recorded) throw clientNotFound('/client_id');
  const { line_ids, missing, ...order } = recorded;
  assertTaken(missing);
  if (bill_id !== null) await settleBill(tx, bill_id, total_cents);
  const placed = priced.map((line, index) => ({ ...line, id_key: line_ids[index] as number }));
  return { ...order, total_cents, delivery_method, client_id, bill_id, refunded_cents: 0, lines: placed };
}

/** The bill that the order refers to, locked or just made; null: none. */
async function findBill(tx: Tx, { bill, bill_id, client_id }: OrderInput): Promise<number | null> {
  if (bill) return Number((await createBill(tx, { ...bill, client_id })).id_key);
  if (bill_id !== null) await assertBillOf(tx, bill_id, client_id);
  return bill_id;
}

function priceOf(products: Products, { product_id }: Line): { readonly price_cents: number; readonly product_name: string } {
  const { price_cents, name } = products.get(product_id) as LockedProduct;
  return { price_cents, product_name: name };
}
