import { ApiError } from '../../errors.ts';
import { jsonDecimal } from '../money.ts';

export type PricedLine = { readonly quantity: number; readonly priceCents: number };

/** The total of an order in cents. Exact for as many lines, pieces and as high a price as the API takes. Pure. */
export function totalCentsOf(lines: readonly PricedLine[]): number {
  return lines.reduce((total, { quantity, priceCents }) => total + quantity * priceCents, 0);
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
