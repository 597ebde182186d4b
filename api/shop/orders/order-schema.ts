import * as z from 'zod';
import type { Constraints } from '../../db/constraints.ts';
import { integer, many, nullable, text, time, view } from '../../http/view.ts';
import { billOfOrder } from '../bills/bill-schema.ts';
import { fromDigits, id, idText, wholeNumber } from '../fields.ts';
import { page } from '../pages.ts';
import { money } from '../money.ts';

const line = z.strictObject({
  product_id: id,
  quantity: wholeNumber(1, 99_999),
});

/** Clients of the original send it; the server decides. */
const ignored = z.unknown().optional().describe('Ignored.');

const deliveryMethod = z
  .preprocess(fromDigits, z.literal([1, 2, 3], 'must be 1 (drive-thru), 2 (on hand) or 3 (home delivery)'))
  .describe('1 drive-thru, 2 on hand, 3 home delivery.');

const billId = id.nullable().describe('The bill to pay it by, made before; no other order may refer to it.');

export const orderInput = z
  .strictObject({
    client_id: id,
    delivery_method: deliveryMethod,
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
    bill_id: billId.default(null),
    bill: billOfOrder.optional().describe('A bill to make with it.'),
  })
  .refine(({ bill, bill_id }) => bill === undefined || bill_id === null, { path: ['bill'], message: 'cannot be given beside bill_id' });

/** A field left out stays as it is. Lines are changed under /order_details. */
export const orderChanges = z.strictObject({
  status: z
    .preprocess(fromDigits, z.literal([1, 2, 3, 4], 'must be 1 (pending), 2 (in progress), 3 (delivered) or 4 (canceled)'))
    .optional()
    .describe('1 pending, 2 in progress, 3 delivered, 4 canceled. A customer may only cancel.'),
  delivery_method: deliveryMethod.optional().describe('While the order is pending.'),
  bill_id: billId.optional().describe('While the order is pending, and has none.'),
  client_id: id.optional().describe('Must be the one it has.'),
  total: ignored,
  date: ignored,
});

/** What comes back of an order: so many pieces of these lines, and what was paid for them. */
export const refundInput = z.strictObject({
  lines: z
    .array(z.strictObject({ line_id: id, quantity: wholeNumber(1, 99_999) }), 'must be a list of lines')
    .min(1, 'must have a line')
    .max(100, 'must have at most 100 lines'),
  restock: z.boolean('must be true or false').default(true).describe('Whether the pieces can be sold again.'),
});

export type OrderChanges = z.output<typeof orderChanges>;
export type RefundInput = z.output<typeof refundInput>;

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
  nullable(integer('bill_id')),
  money('refunded', 'refunded_cents'),
  integer('version'),
] as const;

/** An order as it stands in lists. */
export const orderView = view(orderFields);
export const orderWithLinesView = view([
  ...orderFields,
  many('lines', lineView, 'order_details WHERE order_id = orders.id_key ORDER BY id_key'),
]);

/** What happened to an order since it was placed. `caused_by`: the kind of caller. */
export const orderEventView = view([
  integer('id_key'),
  time('date'),
  text('event'),
  integer('status_before'),
  integer('status'),
  money('refunded', 'refunded_cents'),
  text('caused_by'),
]);

export const orderConstraints: Constraints = {
  bills_number_unique: { code: 'duplicate', detail: 'There is a bill of this number already.', fault: ['/bill/bill_number', 'is taken'] },
  orders_one_per_bill: { code: 'duplicate', detail: 'Another order refers to this bill.', fault: ['/bill_id', 'is taken'] },
};
