import { onlyClient } from '../../auth/principal.ts';
import { read, write, type Route } from '../../http/route.ts';
import { asWritten, listOf, nothing } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { nextPage } from '../pages.ts';
import { reviewChanges, reviewConstraints, reviewInput, reviewQuery, reviewView } from './review-schema.ts';
import { createReview, deleteReview, readReview, readReviews, reviewTogether, updateReview } from './reviews.ts';

export const reviewRoutes: readonly Route[] = [
  read({
    path: '/reviews',
    access: 'public',
    summary: 'List reviews',
    query: reviewQuery,
    answers: { 200: listOf(reviewView) },
    next: nextPage,
    handler: (db, { query: { product_id: productId, ...page } }) => readReviews(db, page, productId),
  }),
  read({
    path: '/reviews/:id',
    access: 'public',
    summary: 'Read a review',
    params: idParams,
    answers: { 200: asWritten(reviewView) },
    errors: ['not_found'],
    handler: (db, { params }) => readReview(db, params.id),
  }),
  write({
    method: 'POST',
    path: '/reviews',
    write: 'once',
    access: ['customer', 'operator'],
    limitClass: 'review',
    summary: 'Review a product',
    body: reviewInput,
    answers: { 201: reviewView },
    errors: ['not_found', 'duplicate'],
    constraints: reviewConstraints,
    handler: (tx, { body, principal }) => createReview(tx, body, onlyClient(principal)),
  }),
  write({
    method: 'PUT',
    path: '/reviews/:id',
    write: 'plainly',
    access: ['customer', 'operator'],
    summary: 'Change a review',
    params: idParams,
    body: reviewChanges,
    answers: { 200: reviewView },
    errors: ['not_found', 'version_mismatch'],
    together: ({ params, body, principal, ifMatch }) => reviewTogether(body, { id: params.id, only: onlyClient(principal), ifMatch }),
    handler: (tx, { params, body, principal, ifMatch }) => updateReview(tx, body, { id: params.id, only: onlyClient(principal), ifMatch }),
  }),
  write({
    method: 'DELETE',
    path: '/reviews/:id',
    write: 'plainly',
    access: ['customer', 'operator'],
    summary: 'Delete a review',
    params: idParams,
    answers: { 204: nothing },
    errors: ['not_found', 'version_mismatch'],
    handler: (tx, { params, principal, ifMatch }) => deleteReview(tx, { id: params.id, only: onlyClient(principal), ifMatch }),
  }),
];
