import * as z from 'zod';
import { integer, many, text, time, view } from '../../http/view.ts';
import { fromDigits, id, idText, page, wholeNumber } from '../fields.ts';
import { money } from '../money.ts';

const line = z.strictObject({
  product_id: id,
  quantity: wholeNumber(1, 99_999),
});

/** Clients of the original send it; the server decides. */
const ignored = z.unknown().optional().describe('Ignored.');

export const orderInput = z.strictObject({
  client_id: id,
  delivery_method: z
    .preprocess(fromDigits, z.literal([1, 2, 3], 'must be 1 (drive-thru), 2 (on hand) or 3 (home delivery)'))
    .describe('1 drive-thru, 2 on hand, 3 home delivery.'),
  lines: z
    .array(line, 'must be a list of lines')
    .min(1, 'must have a line; leave it out for an order that starts empty')
    .max(100, 'must have at most 100 lines')
    .default([])
    .describe('What is ordered. Without it the order starts empty.'),
  total: z
    .number('must be a number')
    .min(0, 'must be 0 or more')
    .max(1e13, 'is out of range')
    .optional()
    .describe('What the client counted on; compared with the true total when there are lines, and otherwise ignored.'),
  status: ignored,
  date: ignored,
  bill_id: ignored,
});

export type OrderInput = z.output<typeof orderInput>;

export const orderQuery = z.strictObject({ client_id: idText.optional().describe('Only orders of this client.'), ...page });

/** Each line with the price paid for a piece. */
export const lineView = view([
  integer('id_key'),
  integer('product_id'),
  text('product_name'),
  integer('quantity'),
  money('price', 'price_cents'),
]);

const orderFields = [
  integer('id_key'),
  time('date'),
  money('total', 'total_cents'),
  integer('delivery_method'),
  integer('status'),
  integer('client_id'),
  integer('version'),
] as const;

/** An order as it stands in lists. */
export const orderView = view(orderFields);
export const orderWithLinesView = view([...orderFields, many('lines', lineView)]);
