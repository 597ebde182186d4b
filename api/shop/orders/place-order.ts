import { clientNotFound } from '../../auth/principal.ts';
import { statement } from '../../db/statement.ts';
import type { Tx } from '../../db/tx.ts';
import { ApiError, type FieldError } from '../../errors.ts';
import type { Shown } from '../../http/view.ts';
import { jsonDecimal } from '../money.ts';
import { lockProducts, shortages, takeStock, type LockedProduct } from '../stock/stock.ts';
import type { OrderInput, orderWithLinesView } from './order-schema.ts';

type Line = OrderInput['lines'][number];
type Products = ReadonlyMap<number, LockedProduct>;

/** The order and its lines in one statement: each round trip saved is time in which others wait for the locks. */
export const recordOrder = statement<{ id_key: number; date: Date; status: number; version: number; line_ids: readonly number[] }>(
  'order-record',
  `WITH placed AS (
     INSERT INTO orders (total_cents, delivery_method, client_id)
     SELECT $1, $2, id_key FROM clients WHERE id_key = $3 AND deleted_at IS NULL
     RETURNING id_key, date, status, version
   ), lines AS (
     INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name)
     SELECT placed.id_key, line.product_id, line.quantity, line.price_cents, line.product_name
     FROM placed, unnest($4::bigint[], $5::integer[], $6::bigint[], $7::text[])
       WITH ORDINALITY AS line (product_id, quantity, price_cents, product_name, position)
     ORDER BY line.position
     RETURNING id_key
   )
   SELECT id_key, date, status, version,
     (SELECT coalesce(json_agg(lines.id_key ORDER BY lines.id_key), '[]') FROM lines) AS line_ids
   FROM placed`,
);

/**
 * Places an order: takes the stock of all lines, at the prices of this moment, and writes the ledger. Products are locked
 * in id order, so that orders for the same ones wait for each other and never deadlock.
 * @throws not_found when the client or a product does not exist
 * @throws insufficient_stock naming every product of which there is too little
 * @throws price_mismatch when `total` was given and is another
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

  const [recorded] = await tx.query(recordOrder, [
    total_cents,
    delivery_method,
    client_id,
    priced.map(({ product_id }) => product_id),
    priced.map(({ quantity }) => quantity),
    priced.map(({ price_cents }) => price_cents),
    priced.map(({ product_name }) => product_name),
  ]);
  if (!recorded) throw clientNotFound('/client_id');
  const { line_ids, ...order } = recorded;
  const placed = priced.map((line, index) => ({ ...line, id_key: line_ids[index] as number }));
  await takeStock(
    tx,
    placed.map((line) => ({ productId: line.product_id, quantity: line.quantity, orderId: order.id_key, lineId: line.id_key })),
  );
  return { ...order, total_cents, delivery_method, client_id, lines: placed };
}

function priceOf(products: Products, { product_id }: Line): { readonly price_cents: number; readonly product_name: string } {
  const { price_cents, name } = products.get(product_id) as LockedProduct;
  return { price_cents, product_name: name };
}

/**
 * Holds what is wanted against the products as locked. Pure.
 * @throws not_found for products that do not exist
 * @throws insufficient_stock
 */
export function assertInStock(lines: readonly Line[], products: Products): void {
  const unknown = faultsOf(lines, ({ product_id }) => !products.has(product_id), 'product_id', 'does not exist');
  if (unknown.length > 0) throw new ApiError('not_found', 'A product does not exist.', { errors: unknown });

  const wanted = lines.map(({ product_id, quantity }) => ({ productId: product_id, quantity }));
  const short = new Map(shortages(wanted, products).map((shortage) => [shortage.productId, shortage]));
  if (short.size === 0) return;
  throw new ApiError('insufficient_stock', 'There is not enough in stock; nothing was ordered.', {
    errors: faultsOf(lines, ({ product_id }) => short.has(product_id), 'quantity', 'is more than there is in stock'),
    extensions: { products: [...short.values()].map(({ productId, ...counts }) => ({ product_id: productId, ...counts })) },
  });
}

function faultsOf(lines: readonly Line[], isFaulty: (line: Line) => boolean, field: keyof Line, message: string): FieldError[] {
  return lines.flatMap((line, index) => (isFaulty(line) ? [{ pointer: `/lines/${index}/${field}`, message }] : []));
}

/** The total of an order in cents. Exact for as many lines, pieces and as high a price as the API takes. Pure. */
export function totalCentsOf(lines: readonly { readonly quantity: number; readonly price_cents: number }[]): number {
  return lines.reduce((total, { quantity, price_cents }) => total + quantity * price_cents, 0);
}

/**
 * Holds the total a client counted on against the true one; fractions of a cent in it do not matter, since many clients
 * add prices up as binary fractions. Pure.
 * @throws price_mismatch with the true total
 */
export function assertExpectedTotal(expected: number | undefined, totalCents: number): void {
  if (expected === undefined || Math.round(expected * 100) === totalCents) return;
  throw new ApiError('price_mismatch', 'The total is another than the one sent; nothing was ordered.', {
    errors: [{ pointer: '/total', message: 'is not the total of the lines' }],
    extensions: { total: jsonDecimal(totalCents) },
  });
}
