import { statement, unseen } from '../../db/statement.ts';
import type { Asked, Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';

/**
 * The only code that moves stock. Each change stands in the ledger (stock_movements), so that its sum is the stock. A
 * product's version rises with its stock, but for `setStock`, whose caller changes the product anyway.
 */

export type LockedProduct = {
  readonly id_key: number;
  readonly name: string;
  readonly price_cents: number;
  readonly stock: number;
  readonly version: number;
};

/** In id order, whoever locks: two transactions for the same products then wait for each other and never deadlock. */
const lockInIdOrder = statement<LockedProduct>(
  'products-lock',
  `SELECT id_key, name, price_cents, stock, version FROM products
   WHERE id_key = ANY (${unseen('$1', 'bigint[]')}) ORDER BY id_key FOR NO KEY UPDATE`,
);

/** The products as they are now; until the transaction ends nobody else changes them. Those that do not exist are left out. */
export async function lockProducts(tx: Tx, productIds: Iterable<number>): Promise<ReadonlyMap<number, LockedProduct>> {
  const lock = lockOf(productIds);
  const products = lock === undefined ? [] : await tx.query(lock.statement, lock.values);
  return new Map(products.map((product) => [product.id_key, product]));
}

/** What `lockProducts` asks, for a route that foresees it; undefined where it asks nothing. */
export function lockOf(productIds: Iterable<number>): { statement: typeof lockInIdOrder; values: [number[]] } | undefined {
  const ids = [...new Set(productIds)];
  return ids.length === 0 ? undefined : { statement: lockInIdOrder, values: [ids] };
}

const lockByLine = statement<LockedProduct>(
  'product-lock-by-line',
  `SELECT id_key, name, price_cents, stock, version FROM products
   WHERE id_key = (SELECT product_id FROM order_details WHERE id_key = $1) FOR NO KEY UPDATE`,
);

/** Locks the product of a line, which stays its product's. */
export const lockOfLine = (lineId: number): Asked<LockedProduct> => ({ statement: lockByLine, values: [lineId] });

/** The products of an order, for its WITH: locked in id order, and as they are once they are. @param ids SQL of an array of ids */
export const lockedProducts = (ids: string): string => `SELECT id_key, name, price_cents, stock FROM lock_products(${ids})`;

/**
 * What takes the stock of an order's lines, and writes the ledger, within the statement that records them: expressions
 * for its WITH, of which `taken` must be asked for. Their products are `lockedProducts` and were found to be enough; were
 * they not, a constraint of the table would undo the statement.
 * @param wanted name of the expression that has the pieces of each product: `product_id`, `quantity`
 * @param lines name of the one that has the lines: `id_key`, `order_id`, `product_id`, `quantity`
 */
export const takingStock = (wanted: string, lines: string): string => `
   taken AS MATERIALIZED (
     SELECT take_stock(array_agg(product_id), array_agg(quantity)) FROM ${wanted} WHERE EXISTS (SELECT FROM ${lines})
   ), moved AS (
     INSERT INTO stock_movements (product_id, quantity, reason, order_id, order_detail_id)
     SELECT product_id, -quantity, 'sale', order_id, id_key FROM ${lines}
   )`;

const setCounted = statement(
  'stock-set',
  `WITH counted AS (
     SELECT id_key, $2 - stock AS difference FROM products WHERE id_key = $1 AND stock <> $2 FOR NO KEY UPDATE
   ), changed AS (
     UPDATE products SET stock = $2 FROM counted WHERE products.id_key = counted.id_key
   )
   INSERT INTO stock_movements (product_id, quantity, reason) SELECT id_key, difference, $3 FROM counted`,
);

/** Brings a product's stock to what was counted. Nothing is done when it is so already. */
export async function setStock(tx: Tx, productId: number, stock: number, reason: 'initial' | 'adjustment'): Promise<void> {
  await tx.query(setCounted, [productId, stock, reason]);
}

/** A change of stock for a line of an order: `quantity` pieces more, or fewer when negative. */
export type Move = { readonly productId: number; readonly quantity: number; readonly lineId: number };

const move = statement<{ readonly missing: number }>(
  'stock-move',
  `WITH moves AS (
     SELECT product_id, quantity, line_id
     FROM unnest($1::bigint[], $2::integer[], $3::bigint[]) AS given (product_id, quantity, line_id)
   ), wanted AS (
     SELECT product_id, sum(quantity)::integer AS quantity FROM moves GROUP BY product_id
   ), taken AS (
     UPDATE products SET stock = products.stock + wanted.quantity, version = products.version + 1, updated_at = now()
     FROM wanted WHERE products.id_key = wanted.product_id AND products.stock + wanted.quantity >= 0
     RETURNING products.id_key
   ), moved AS (
     INSERT INTO stock_movements (product_id, quantity, reason, order_id, order_detail_id)
     SELECT product_id, quantity, $4, $5, line_id FROM moves
   )
   SELECT (SELECT count(*) FROM wanted)::integer - (SELECT count(*) FROM taken)::integer AS missing`,
);

/**
 * Moves stock for lines of one order, which then stand for that many pieces less or more. Their products are locked.
 * @param reason `sale` when a line is changed or taken out, `return` when pieces come back
 * @throws insufficient_stock
 */
export async function moveStock(
  tx: Tx,
  moves: readonly Move[],
  { reason, orderId }: { readonly reason: 'sale' | 'return'; readonly orderId: number },
): Promise<void> {
  const [outcome] = await tx.query(move, [
    moves.map(({ productId }) => productId),
    moves.map(({ quantity }) => quantity),
    moves.map(({ lineId }) => lineId),
    reason,
    orderId,
  ]);
  if (outcome?.missing !== 0) throw new ApiError('insufficient_stock', 'There is not enough in stock; nothing was changed.');
}
