import * as z from 'zod';
import type { Constraints } from '../../db/constraints.ts';
import { integer, many, nullable, others, parent, text, view } from '../../http/view.ts';
import { categoryView } from '../categories/category-schema.ts';
import { id, idText, line, lines, wholeNumber } from '../fields.ts';
import { cursor, isPlaceOf, page } from '../pages.ts';
import { money, priceInput, priceText } from '../money.ts';
import { reviewView } from '../reviews/review-schema.ts';

const name = line(1, 200).describe('Name as shown to buyers.');
const description = lines(2_000).nullable().describe('What buyers are told of it.');
const stock = wholeNumber(0, 999_999).describe('Pieces in stock.');
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

/** A flag inside a query, in the spellings that the original took. */
const flagText = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', '1', 'on', 'yes', 'false', '0', 'off', 'no'], 'must be true or false'))
  .transform((flag) => ['true', '1', 'on', 'yes'].includes(flag))
  .meta({ type: 'boolean' });

export const productFilter = z
  .strictObject({
    search: line(1, 100).optional().describe('Part of the name, in any case.'),
    category_id: idText.optional(),
    min_price: priceText.optional().describe('Least price, included.'),
    max_price: priceText.optional().describe('Greatest price, included.'),
    in_stock_only: flagText.default(false),
    sort_by: z
      .enum(['price_asc', 'price_desc', 'name', 'name_asc', 'name_desc'], 'must be price_asc, price_desc, name_asc or name_desc')
      .optional()
      .describe('Without it the newest come first.'),
    ...page,
    cursor: cursor.optional().describe('Goes on after the page whose Link header gave it, in the same order.'),
  })
  .refine(({ cursor: place, sort_by }) => place === undefined || isPlaceOf(place, ...placeIn(sort_by)), {
    path: ['cursor'],
    message: 'must be a cursor of this list in this order, as its Link header gave it',
  });

/** What a place consists of in each order. */
function placeIn(sortBy: string | undefined): readonly ('string' | 'number')[] {
  if (sortBy === undefined) return ['number'];
  return [sortBy.startsWith('price') ? 'number' : 'string', 'number'];
}

export type ProductFilter = z.output<typeof productFilter>;

const maxReviews = 10;

/** What a product shows of others. */
export const productCategory = others(parent('category', categoryView, 'categories WHERE id_key = products.category_id'));
export const productReviews = others(
  many('reviews', reviewView, `reviews WHERE product_id = products.id_key ORDER BY id_key DESC LIMIT ${maxReviews}`),
  { maxItems: maxReviews, description: `The newest ${maxReviews}, the newest first; all of them under /reviews.` },
);

export const productView = view([
  integer('id_key'),
  text('name'),
  nullable(text('description')),
  money('price', 'price_cents'),
  integer('stock'),
  nullable(integer('category_id')),
  productCategory,
  productReviews,
  integer('version'),
]);

export const productConstraints: Constraints = {
  products_category_fk: { code: 'not_found', detail: 'The category does not exist.', fault: ['/category_id', 'does not exist'] },
  order_details_product_fk: { code: 'in_use', detail: 'The product has been sold; orders refer to it.' },
};
