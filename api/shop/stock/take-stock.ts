import { ApiError, type FieldError } from '../../errors.ts';
import type { LockedProduct } from './lock-products.ts';

/**
 * Parts of a WITH that take the stock of new order lines and write one row of the ledger for each. They read `lines`
 * (id_key, order_id, product_id, quantity), the lines as inserted by an earlier part of the same statement. `taken` has a
 * row for each product that had enough: whoever composes this compares their number with that of the products, and rolls
 * back when it is less.
 */
export const takeStockParts = `
  taken AS (
    UPDATE products SET stock = products.stock - sold.quantity, version = products.version + 1, updated_at = now()
    FROM (SELECT product_id, sum(quantity)::integer AS quantity FROM lines GROUP BY product_id) AS sold
    WHERE products.id_key = sold.product_id AND products.stock >= sold.quantity
    RETURNING products.id_key
  ), moved AS (
    INSERT INTO stock_movements (product_id, quantity, reason, order_id, order_detail_id)
    SELECT product_id, -quantity, 'sale', order_id, id_key FROM lines
  )`;

export type WantedLine = { readonly productId: number; readonly quantity: number };

/** Pieces wanted of each product; a product may stand on several lines. Pure. */
export function quantityByProduct(lines: readonly WantedLine[]): Map<number, number> {
  const quantities = new Map<number, number>();
  for (const { productId, quantity } of lines) quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  return quantities;
}

/**
 * Holds what is wanted against the products as locked. Pure.
 * @throws not_found for products that do not exist
 * @throws insufficient_stock naming every product of which there is too little, with what is there
 */
export function assertInStock(lines: readonly WantedLine[], products: ReadonlyMap<number, LockedProduct>): void {
  const unknown = faultsOf(lines, ({ productId }) => !products.has(productId), 'product_id', 'does not exist');
  if (unknown.length > 0) throw new ApiError('not_found', 'A product does not exist.', { errors: unknown });

  const short = [...quantityByProduct(lines)].flatMap(([productId, requested]) => {
    const available = products.get(productId)?.stock ?? 0;
    return requested > available ? [{ product_id: productId, requested, available }] : [];
  });
  if (short.length === 0) return;
  const shortIds = new Set(short.map((product) => product.product_id));
  throw new ApiError('insufficient_stock', 'There is not enough in stock; nothing was ordered.', {
    errors: faultsOf(lines, ({ productId }) => shortIds.has(productId), 'quantity', 'is more than there is in stock'),
    extensions: { products: short },
  });
}

function faultsOf(
  lines: readonly WantedLine[],
  isFaulty: (line: WantedLine) => boolean,
  field: 'product_id' | 'quantity',
  message: string,
): FieldError[] {
  return lines.flatMap((line, index) => (isFaulty(line) ? [{ pointer: `/lines/${index}/${field}`, message }] : []));
}
