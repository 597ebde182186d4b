import * as z from 'zod';
import { id, idText, page, text } from '../fields.ts';
import { centsOf, priceInput } from '../money.ts';

const name = text(1, 200).describe('Name as shown to buyers.');
const description = text(0, 2_000).nullable().describe('What buyers are told of it.');
const stock = z
  .int('must be a whole number')
  .min(0, 'must be 0 or more')
  .max(999_999, 'must be 999999 or less')
  .describe('Pieces in stock.');
const categoryId = id.nullable().describe('Category it stands in.');

export const productInput = z.strictObject({
  name,
  description: description.default(null),
  price: priceInput,
  stock: stock.default(0),
  category_id: categoryId.default(null),
});

/** A field left out stays as it is; null clears those that may be empty. */
export const productChanges = z.strictObject({
  name: name.optional(),
  description: description.optional(),
  price: priceInput.optional(),
  stock: stock.optional(),
  category_id: categoryId.optional(),
});

export type ProductInput = z.output<typeof productInput>;
export type ProductChanges = z.output<typeof productChanges>;

const priceText = z
  .string()
  .max(20)
  .transform((given, ctx) => {
    const cents = /^\d+(\.\d+)?$/.test(given) ? centsOf(Number(given)) : undefined;
    if (cents !== undefined) return cents;
    ctx.addIssue({ code: 'custom', message: 'must be a price such as 19.90' });
    return z.NEVER;
  });

export const productFilter = z.strictObject({
  search: text(1, 100).optional().describe('Part of the name, in any case.'),
  category_id: idText.optional(),
  min_price: priceText.optional().describe('Least price, included.'),
  max_price: priceText.optional().describe('Greatest price, included.'),
  in_stock_only: z
    .enum(['true', 'false', '1', '0'], 'must be true or false')
    .transform((flag) => flag === 'true' || flag === '1')
    .default(false),
  sort_by: z.enum(['price_asc', 'price_desc', 'name'], 'must be price_asc, price_desc or name').optional(),
  ...page,
});

export type ProductFilter = z.output<typeof productFilter>;
