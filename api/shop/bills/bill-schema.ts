import * as z from 'zod';
import type { Constraints } from '../../db/constraints.ts';
import { day, integer, text, view } from '../../http/view.ts';
import { fromDigits, id, idText, line } from '../fields.ts';
import { page } from '../pages.ts';
import { amountInput, money } from '../money.ts';

/** How the shop's own numbers begin, so that none that a client makes up is ever the next of them. */
const ownNumber = /^A-/i;

const billNumber = line(1, 50)
  .refine((given) => !ownNumber.test(given), 'must not begin with A-, as those that the shop gives')
  .describe('Unique. Left out, the shop gives one, such as A-2026-1042.');

const paymentType = z
  .preprocess(fromDigits, z.literal([1, 2, 3, 4, 5], 'must be 1 (cash), 2 (card), 3 (debit), 4 (credit) or 5 (bank transfer)'))
  .describe('1 cash, 2 card, 3 debit, 4 credit, 5 bank transfer.');

const discount = amountInput.describe('Taken off what the order makes. Only an operator gives one.');

/** The day, of a timestamp too, as browsers send it. */
const date = z
  .string('must be a date, such as 2026-11-26')
  .regex(/^\d{4}-\d{2}-\d{2}(T[\d:.]{5,18}(Z|[+-]\d{2}:\d{2})?)?$/, 'must be a date, such as 2026-11-26')
  .transform((given) => given.slice(0, 10))
  .pipe(z.iso.date('must be a day of the calendar'))
  .describe('Day of the bill; today in UTC when left out.');

const total = z.unknown().optional().describe('Ignored: it is what the order makes, less the discount.');

export const billInput = z.strictObject({
  bill_number: billNumber.optional(),
  discount: discount.default(0),
  date: date.optional(),
  total,
  payment_type: paymentType,
  client_id: id.describe('Who is billed.'),
});

/** A bill that is made with its order. */
export const billOfOrder = billInput.pick({ bill_number: true, discount: true, date: true, payment_type: true });

/** A field left out stays as it is. A bill stays its client's. */
export const billChanges = z.strictObject({
  bill_number: billNumber.optional(),
  discount: discount.optional(),
  date: date.optional(),
  total,
  payment_type: paymentType.optional(),
});

export type BillInput = Omit<z.output<typeof billInput>, 'total'>;
export type BillChanges = z.output<typeof billChanges>;

export const billQuery = z.strictObject({ client_id: idText.optional().describe('Only bills of this client.'), ...page });

export const billView = view([
  integer('id_key'),
  text('bill_number'),
  money('discount', 'discount_cents'),
  day('date'),
  money('total', 'total_cents'),
  integer('payment_type'),
  integer('client_id'),
  integer('version'),
]);

export const billConstraints: Constraints = {
  bills_number_unique: { code: 'duplicate', detail: 'There is a bill of this number already.', fault: ['/bill_number', 'is taken'] },
  orders_bill_fk: { code: 'in_use', detail: 'An order refers to the bill.' },
};
