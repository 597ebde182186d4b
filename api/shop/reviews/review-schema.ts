import * as z from 'zod';
import type { Constraints } from '../../db/constraints.ts';
import { flag, integer, nullable, text, time, view, type Field } from '../../http/view.ts';
import { id, idText, lines } from '../fields.ts';
import { page } from '../pages.ts';

/** Stars from 1 to 5, half ones and tenths too, parsed into tenths. */
const rating = z
  .preprocess(
    (given) => (typeof given === 'string' && /^\d(\.\d)?$/.test(given) ? Number(given) : given),
    z
      .number('must be a number')
      .min(1, 'must be 1 or more')
      .max(5, 'must be 5 or less')
      .transform((stars, ctx) => {
        const tenths = Math.round(stars * 10);
        if (tenths / 10 === stars) return tenths;
        ctx.addIssue({ code: 'custom', message: 'must have at most one decimal place' });
        return z.NEVER;
      })
      .meta({ multipleOf: 0.1 }),
  )
  .describe('Stars from 1 to 5, with at most one decimal place.');

const comment = z
  .preprocess((given) => (given === '' ? null : given), lines(1_000).min(10, 'must have at least 10 characters').nullable())
  .describe('What the author says.');

export const reviewInput = z.strictObject({ rating, comment: comment.default(null), product_id: id.describe('What is reviewed.') });

/** A field left out stays as it is; null clears the comment. A review stays its product's: another one may be repeated, not given. */
export const reviewChanges = z.strictObject({
  rating: rating.optional(),
  comment: comment.optional(),
  product_id: id.optional().describe('Must be the one it has.'),
});

export type ReviewInput = z.output<typeof reviewInput>;
export type ReviewChanges = z.output<typeof reviewChanges>;

export const reviewQuery = z.strictObject({ product_id: idText.optional().describe('Only reviews of this product.'), ...page });

const stars: Field<'rating_tenths', number> = {
  name: 'rating',
  column: 'rating_tenths',
  write: (tenths) => String(tenths / 10),
  sql: 'trim_scale(rating_tenths * 0.1)::text',
  schema: { type: 'number', minimum: 1, maximum: 5, multipleOf: 0.1 },
  isStored: true,
};

/** Public: of its author the given name at the time, and whether they had bought it; null when they have left since. */
export const reviewView = view([
  integer('id_key'),
  stars,
  nullable(text('comment')),
  integer('product_id'),
  nullable(text('author')),
  flag('verified_purchase'),
  time('date'),
  integer('version'),
]);

export const reviewConstraints: Constraints = {
  reviews_product_fk: { code: 'not_found', detail: 'The product does not exist.', fault: ['/product_id', 'does not exist'] },
  reviews_one_per_author: {
    code: 'duplicate',
    detail: 'You have reviewed this product already; change that review instead.',
    fault: ['/product_id', 'is reviewed already'],
  },
};
