import { ApiError, type FieldError } from '../../errors.ts';
import { jsonDecimal } from '../money.ts';
import type { LockedProduct } from '../stock/stock.ts';
import type { OrderInput } from './order-schema.ts';

/** What is decided of an order: whether it can be had, and for how much. All of it pure. */

type Line = OrderInput['lines'][number];
type Products = ReadonlyMap<number, Pick<LockedProduct, 'stock'>>;

/**
 * Holds what is wanted against the products as locked.
 * @throws not_found for products that do not exist
 * @throws insufficient_stock naming every product of which there is too little
 */
export function assertInStock(lines: readonly Line[], products: Products): void {
  const unknown = faultsOf(lines, ({ product_id }) => !products.has(product_id), 'product_id', 'does not exist');
  if (unknown.length > 0) throw new ApiError('not_found', 'A product does not exist.', { errors: unknown });

  const short = shortages(lines, products);
  if (short.length === 0) return;
  const shortIds = new Set(short.map(({ product_id }) => product_id));
  throw new ApiError('insufficient_stock', 'There is not enough in stock; nothing was ordered.', {
    errors: faultsOf(lines, ({ product_id }) => shortIds.has(product_id), 'quantity', 'is more than there is in stock'),
    extensions: { products: short },
  });
}

/** The products of which there is less than is wanted in all; a product may stand on several lines. */
export function shortages(lines: readonly Line[], products: Products): { product_id: number; requested: number; available: number }[] {
  const quantities = new Map<number, number>();
  for (const { product_id, quantity } of lines) quantities.set(product_id, (quantities.get(product_id) ?? 0) + quantity);
  return [...quantities].flatMap(([product_id, requested]) => {
    const available = products.get(product_id)?.stock ?? 0;
    return requested > available ? [{ product_id, requested, available }] : [];
  });
}

function faultsOf(lines: readonly Line[], isFaulty: (line: Line) => boolean, field: keyof Line, message: string): FieldError[] {
  return lines.flatMap((line, index) => (isFaulty(line) ? [{ pointer: `/lines/${index}/${field}`, message }] : []));
}

/** The total of an order in cents. Exact for as many lines, pieces and as high a price as the API takes. */
export function totalCentsOf(lines: readonly { readonly quantity: number; readonly price_cents: number }[]): number {
  return lines.reduce((total, { quantity, price_cents }) => total + quantity * price_cents, 0);
}

/**
 * Holds the total a client counted on against the true one; fractions of a cent in it do not matter, since many clients
 * add prices up as binary fractions.
 * @throws price_mismatch with the true total
 */
export function assertExpectedTotal(expected: number | undefined, totalCents: number): void {
  if (expected === undefined || Math.round(expected * 100) === totalCents) return;
  throw new ApiError('price_mismatch', 'The total is another than the one sent; nothing was ordered.', {
    errors: [{ pointer: '/total', message: 'is not the total of the lines' }],
    extensions: { total: jsonDecimal(totalCents) },
  });
}
