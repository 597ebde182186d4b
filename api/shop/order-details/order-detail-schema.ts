import * as z from 'zod';
import { integer, text, view } from '../../http/view.ts';
import { id, idText, wholeNumber } from '../fields.ts';
import { page } from '../pages.ts';
import { money } from '../money.ts';

const quantity = wholeNumber(1, 99_999).describe('Pieces.');
const price = z.number('must be a number').min(0, 'must be 0 or more').max(1e9, 'is out of range').optional();

export const orderDetailInput = z.strictObject({
  quantity,
  order_id: id.describe('A pending order.'),
  product_id: id.describe('What is ordered.'),
  price: price.describe('The price counted on for a piece; compared with the true one.'),
});

/** A line stays its product's and its order's, at the price paid: these may be repeated, not changed. */
export const orderDetailChanges = z.strictObject({
  quantity: quantity.optional(),
  order_id: id.optional().describe('Must be the one it has.'),
  product_id: id.optional().describe('Must be the one it has.'),
  price: price.describe('Must be the one it has.'),
});

export type OrderDetailInput = z.output<typeof orderDetailInput>;
export type OrderDetailChanges = z.output<typeof orderDetailChanges>;

export const orderDetailQuery = z.strictObject({ order_id: idText.optional().describe('Only lines of this order.'), ...page });

/** `returned`: pieces that came back. */
export const orderDetailView = view([
  integer('id_key'),
  integer('quantity'),
  money('price', 'price_cents'),
  integer('order_id'),
  integer('product_id'),
  text('product_name'),
  integer('returned'),
  integer('version'),
]);
