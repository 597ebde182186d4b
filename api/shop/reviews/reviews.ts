import { statement, textStatement, unseen } from '../../db/statement.ts';
import type { Asked, Db, Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import type { Shown, WrittenRow } from '../../http/view.ts';
import { askEachPage, pagesOfEach, type Page, type WrittenPage } from '../pages.ts';
import { assertVersion, changeTogether, valuesTogether, type Addressed } from '../versioned.ts';
import { reviewView, type ReviewChanges, type ReviewInput } from './review-schema.ts';

/** What somebody says of a product. It stays, without its author, when they leave. */

type ReviewRow = Shown<typeof reviewView> & { readonly id_key: number };

type LockedReview = ReviewRow & {
  readonly product_id: number;
  /** Null for one that an operator brought along, and when its author has left. */
  readonly client_id: number | null;
  readonly version: number;
};

const reviewsById = textStatement<WrittenRow>(
  'reviews-by-id',
  `SELECT ${reviewView.written} FROM reviews WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`,
);
const reviewPages = pagesOfEach('review-pages', reviewView, 'reviews', { asked: [], condition: 'true' });
const reviewsOfProduct = pagesOfEach('review-pages-of-products', reviewView, 'reviews', {
  asked: ['product'],
  condition: 'product_id = asked.product',
});

/** @throws not_found */
export async function readReview(db: Db, id: number): Promise<WrittenRow> {
  const row = await db.byId(reviewsById, id);
  if (!row) throw new ApiError('not_found', 'The review does not exist.');
  return row;
}

/** @param productId whose reviews; undefined: every product's */
export function readReviews(db: Db, page: Page, productId: number | undefined): Promise<WrittenPage> {
  return productId === undefined ? askEachPage(db, reviewPages, page) : askEachPage(db, reviewsOfProduct, page, [productId]);
}

const recordReview = statement<ReviewRow>(
  'review-record',
  `INSERT INTO reviews (rating_tenths, comment, product_id, client_id, author, verified_purchase)
   SELECT $1, $2, $3::bigint, writer.id_key, writer.name, EXISTS (
     SELECT FROM orders JOIN order_details line ON line.order_id = orders.id_key
     WHERE orders.client_id = writer.id_key AND line.product_id = $3 AND orders.status <> 4
   )
   FROM (VALUES ($4::bigint)) AS given (id) LEFT JOIN LATERAL (
     SELECT id_key, name FROM clients WHERE id_key = given.id AND deleted_at IS NULL FOR SHARE
   ) AS writer ON true
   WHERE given.id IS NULL OR writer.id_key IS NOT NULL
   RETURNING ${reviewView.select}`,
);

/**
 * @param authorId the client who writes it; undefined for one that an operator brings along
 * @throws not_found when there is no such product, or duplicate when this author has reviewed it
 */
export async function createReview(tx: Tx, { rating, comment, product_id }: ReviewInput, authorId: number | undefined): Promise<ReviewRow> {
  const [made] = await tx.query(recordReview, [rating, comment, product_id, authorId ?? null]);
  // Whoever asks was proved a moment ago, and has been deleted since.
  if (!made) throw new ApiError('not_found', 'The author does not exist.');
  return made;
}

const lockReview = statement<LockedReview>(
  'review-lock',
  `SELECT ${reviewView.select}, client_id FROM reviews WHERE id_key = $1 FOR NO KEY UPDATE`,
);
const changeReview = statement(
  'review-change',
  'UPDATE reviews SET rating_tenths = $2, comment = $3, version = version + 1, updated_at = now() WHERE id_key = $1',
);

/** @throws not_found also for another's, version_mismatch, or validation_failed when it would become another product's */
export async function updateReview(tx: Tx, changes: ReviewChanges, addressed: Addressed): Promise<ReviewRow> {
  const found = await lock(tx, addressed);
  const { rating = found.rating_tenths, comment = found.comment, product_id: productId = found.product_id } = changes;
  if (productId !== found.product_id)
    throw new ApiError('validation_failed', 'A review stays its product’s.', {
      errors: [{ pointer: '/product_id', message: 'is not the product that it is about' }],
    });
  tx.atEnd({ statement: changeReview, values: [found.id_key, rating, comment] });
  return { ...found, rating_tenths: rating, comment, version: found.version + 1 };
}

const changeReviews = statement<ReviewRow & { readonly n: number }>(
  'reviews-change',
  changeTogether({
    table: 'reviews',
    kept: 'product_id',
    changed: { rating_tenths: 'smallint', comment: 'text' },
    select: reviewView.select,
  }),
);

/** The same for many at once, of which this is one; undefined where it must go alone. */
export function reviewTogether({ rating, comment, product_id }: ReviewChanges, addressed: Addressed): Asked | undefined {
  const values = valuesTogether(addressed, product_id, [rating, comment]);
  return values && { statement: changeReviews, values };
}

const removeReview = statement('review-remove', 'DELETE FROM reviews WHERE id_key = $1');

/** @throws not_found also for another's, or version_mismatch */
export async function deleteReview(tx: Tx, addressed: Addressed): Promise<void> {
  const { id_key: id } = await lock(tx, addressed);
  tx.atEnd({ statement: removeReview, values: [id] });
}

/** Nobody else changes it until the end, so that what it becomes is known before it is written, together with COMMIT. */
async function lock(tx: Tx, { id, only, ifMatch }: Addressed): Promise<LockedReview> {
  const [found] = await tx.query(lockReview, [id]);
  assertVersion(only === undefined || found?.client_id === only ? found : undefined, ifMatch, 'review');
  return found as LockedReview;
}

const forgetAuthor = statement(
  'review-forget-author',
  'UPDATE reviews SET client_id = NULL, author = NULL, version = version + 1, updated_at = now() WHERE client_id = $1',
);

/** Part of a client's deletion: what they wrote stays, and names nobody. */
export async function eraseAuthor(tx: Tx, clientId: number): Promise<void> {
  await tx.query(forgetAuthor, [clientId]);
}
