import { explainConstraints } from '../../db/constraints.ts';
import { statement } from '../../db/statement.ts';
import type { Session } from '../../db/transaction.ts';
import { ApiError } from '../../errors.ts';
import { lockProducts, type LockedProduct } from '../stock/lock-products.ts';
import { assertInStock, quantityByProduct, takeStockParts, type WantedLine } from '../stock/take-stock.ts';
import type { OrderInput } from './order-schema.ts';
import type { OrderLineRow, OrderRow } from './present-order.ts';
import { assertExpectedTotal, totalCentsOf } from './price-order.ts';

export type PlacedOrder = { readonly order: OrderRow; readonly lines: readonly OrderLineRow[] };

type RecordedOrder = Omit<OrderRow, 'total_cents' | 'delivery_method' | 'client_id'> & {
  readonly line_ids: readonly number[];
  readonly taken: number;
};

/** Order, lines, stock and ledger in one statement: each round trip saved is time in which others wait for the locks. */
const recordOrder = statement<RecordedOrder>(
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
     RETURNING id_key, order_id, product_id, quantity
   ), ${takeStockParts}
   SELECT id_key, date, status, version,
     (SELECT coalesce(json_agg(lines.id_key ORDER BY lines.id_key), '[]') FROM lines) AS line_ids,
     (SELECT count(*)::integer FROM taken) AS taken
   FROM placed`,
);

/**
 * Places an order in the transaction of `session`: takes the stock of all lines, at the prices of this moment, and writes
 * the ledger. Products are locked in id order, so that orders for the same ones wait for each other and never deadlock.
 * @throws not_found when the client or a product does not exist
 * @throws insufficient_stock naming every product of which there is too little
 * @throws price_mismatch when `total` was given and is another
 * On any error the transaction must be rolled back; `inTransaction` does.
 */
export async function placeOrder(session: Session, input: OrderInput): Promise<PlacedOrder> {
  const wanted = input.lines.map(({ product_id, quantity }) => ({ productId: product_id, quantity }));
  const products = await lockWanted(session, wanted);
  assertInStock(wanted, products);
  const lines = wanted.map((line) => ({ ...line, product: products.get(line.productId) as LockedProduct }));
  const totalCents = totalCentsOf(lines.map(({ quantity, product }) => ({ quantity, priceCents: product.price_cents })));
  if (lines.length > 0) assertExpectedTotal(input.total, totalCents);

  const recording = session.query(recordOrder, [
    totalCents,
    input.delivery_method,
    input.client_id,
    lines.map(({ productId }) => productId),
    lines.map(({ quantity }) => quantity),
    lines.map(({ product }) => product.price_cents),
    lines.map(({ product }) => product.name),
  ]);
  const [recorded] = await explainConstraints('write', recording);
  if (!recorded) throw clientNotFound();
  // The locks make this impossible; if they ever fail to, the transaction must not commit.
  if (recorded.taken !== products.size) throw new ApiError('insufficient_stock', 'There is not enough in stock; nothing was ordered.');

  const { line_ids, taken: _taken, ...order } = recorded;
  return {
    order: { ...order, total_cents: totalCents, delivery_method: input.delivery_method, client_id: input.client_id },
    lines: lines.map(({ quantity, product }, index) => ({
      id_key: line_ids[index] as number,
      product_id: product.id_key,
      product_name: product.name,
      quantity,
      price_cents: product.price_cents,
    })),
  };
}

async function lockWanted(session: Session, wanted: readonly WantedLine[]): Promise<ReadonlyMap<number, LockedProduct>> {
  if (wanted.length === 0) return new Map();
  const products = await lockProducts(session, [...quantityByProduct(wanted).keys()]);
  return new Map(products.map((product) => [product.id_key, product]));
}

const clientNotFound = (): ApiError =>
  new ApiError('not_found', 'The client does not exist.', { errors: [{ pointer: '/client_id', message: 'does not exist' }] });
