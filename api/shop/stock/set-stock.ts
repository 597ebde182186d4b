import { statement } from '../../db/statement.ts';
import type { Session } from '../../db/transaction.ts';
import type { LockedProduct } from './lock-products.ts';

const changeStock = statement(
  'stock-set',
  `WITH changed AS (
     UPDATE products SET stock = stock + $2 WHERE id_key = $1 RETURNING id_key
   )
   INSERT INTO stock_movements (product_id, quantity, reason) SELECT id_key, $2, $3 FROM changed`,
);

/**
 * Brings a product's stock to `stock` and writes the difference into the ledger. Nothing is done when there is none.
 * The product's version is the caller's to raise.
 * @param product as locked by this transaction
 */
export async function setStock(
  session: Session,
  product: Pick<LockedProduct, 'id_key' | 'stock'>,
  change: { readonly stock: number; readonly reason: 'initial' | 'adjustment' },
): Promise<void> {
  const difference = change.stock - product.stock;
  if (difference !== 0) await session.query(changeStock, [product.id_key, difference, change.reason]);
}
