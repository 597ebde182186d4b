import * as z from 'zod';
import type { Field } from '../http/view.ts';

/**
 * Money is a whole number of cents everywhere inside. In JSON it is a decimal with exactly two places, written from the
 * digits of the cents: no amount is ever computed as a fraction.
 */

/** The cents of a decimal with at most two places; undefined for anything else, such as 0.1 + 0.2. */
export function centsOf(amount: number): number | undefined {
  // The shortest digits that name this number are those its sender wrote.
  const match = /^(\d+)(?:\.(\d{1,2}))?$/.exec(String(amount));
  if (!match) return undefined;
  const [, whole = '', places = ''] = match;
  const cents = Number(whole + places.padEnd(2, '0'));
  return Number.isSafeInteger(cents) ? cents : undefined;
}

/** Cents as a decimal with two places, as in 1990 → `19.90`. Takes them as PostgreSQL's text too. Not for negative amounts. */
export function decimalOf(cents: number | string): string {
  const digits = String(cents).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** A member of a view: cents in the column, a decimal in the JSON. */
export const money = <const Column extends string>(name: string, column: Column): Field<Column, number | string> => ({
  name,
  column,
  write: decimalOf,
  sql: `(${column} * 0.01)::text`,
  schema: { type: 'number', multipleOf: 0.01 },
  isStored: true,
});

/** Cents as a JSON number with two places, for objects that JSON.stringify will write. */
export function jsonDecimal(cents: number): unknown {
  return (JSON as unknown as JsonWithRaw).rawJSON(decimalOf(cents));
}

/** TypeScript's library does not know it yet. @see https://github.com/tc39/proposal-json-parse-with-source */
type JsonWithRaw = { readonly rawJSON: (text: string) => unknown };

const maxPrice = 999_999.99;

const amount = (min: number, max: number) =>
  z
    .number('must be a number')
    .min(min, `must be ${min} or more`)
    .max(max, `must be ${max} or less`)
    .transform((given, ctx) => {
      const cents = centsOf(given);
      if (cents !== undefined) return cents;
      ctx.addIssue({ code: 'custom', message: 'must have at most two decimal places' });
      return z.NEVER;
    });

/** A price as clients send it, parsed into cents. */
export const priceInput = amount(0.01, maxPrice).describe('Price with at most two decimal places.');

/** An amount that may be nothing, parsed into cents. */
export const amountInput = amount(0, 9_999_999_999.99);

/** A price inside a query, where everything is text. */
export const priceText = z
  .string()
  .max(20)
  .transform((given, ctx) => {
    const cents = /^\d+(\.\d+)?$/.test(given) ? centsOf(Number(given)) : undefined;
    if (cents !== undefined) return cents;
    ctx.addIssue({ code: 'custom', message: 'must be a price such as 19.90' });
    return z.NEVER;
  })
  .meta({ type: 'number', minimum: 0 });
