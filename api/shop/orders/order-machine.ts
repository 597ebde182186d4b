import { ApiError } from '../../errors.ts';

/** What an order may become, and what can be done to it meanwhile. All of it pure. */

/** 1 pending, 2 in progress, 3 delivered, 4 canceled. */
export type Status = 1 | 2 | 3 | 4;
export const pending = 1;
export const canceled = 4;

const successors: Readonly<Record<Status, readonly Status[]>> = { 1: [2, 4], 2: [3, 4], 3: [], 4: [] };
const names: Readonly<Record<Status, string>> = { 1: 'pending', 2: 'in progress', 3: 'delivered', 4: 'canceled' };

/**
 * Lets an order become what is asked.
 * @throws illegal_transition naming what it may become
 */
export function assertMayBecome(from: Status, to: Status): void {
  if (!successors[from].includes(to)) throw illegal(from, `An order that is ${names[from]} cannot become ${names[to]}.`);
}

/**
 * Lets an order be edited: its lines, how it is delivered, which bill pays it.
 * @throws illegal_transition
 */
export function assertEditable(status: Status): void {
  if (status !== pending) throw illegal(status, `An order that is ${names[status]} can no longer be edited.`);
}

/**
 * Lets pieces of an order come back: once it is being worked on, and until it is canceled, which gives all back anyway.
 * @throws illegal_transition
 */
export function assertRefundable(status: Status): void {
  if (status === pending) throw illegal(status, 'Nothing of a pending order has been paid; change its lines, or cancel it.');
  if (status === canceled) throw illegal(status, 'All of a canceled order has been returned.');
}

function illegal(status: Status, detail: string): ApiError {
  return new ApiError('illegal_transition', detail, { extensions: { order_status: status, allowed_status: successors[status] } });
}

/** A line as far as what comes back of it matters. */
export type ReturnableLine = {
  readonly id_key: number;
  readonly product_id: number;
  readonly quantity: number;
  readonly price_cents: number;
  readonly returned: number;
};

export type Returned = { readonly line: ReturnableLine; readonly quantity: number };

/**
 * What comes back of which line; one that is named twice comes back by both.
 * @throws not_found for lines that the order does not have
 * @throws validation_failed for more pieces than were sold and have not come back
 */
export function linesToReturn(
  lines: readonly ReturnableLine[],
  asked: readonly { readonly line_id: number; readonly quantity: number }[],
): Returned[] {
  const sums = new Map<number, number>();
  for (const [index, { line_id: lineId, quantity }] of asked.entries()) {
    const line = lines.find(({ id_key }) => id_key === lineId);
    if (!line) {
      const errors = [{ pointer: `/lines/${index}/line_id`, message: 'is no line of this order' }];
      throw new ApiError('not_found', 'The order has no such line.', { errors });
    }
    const sum = (sums.get(lineId) ?? 0) + quantity;
    const left = line.quantity - line.returned;
    if (sum > left) {
      const errors = [{ pointer: `/lines/${index}/quantity`, message: `is more than the ${left} that can still come back` }];
      throw new ApiError('validation_failed', 'More would come back than was sold.', { errors });
    }
    sums.set(lineId, sum);
  }
  return [...sums].map(([lineId, quantity]) => ({ line: lines.find(({ id_key }) => id_key === lineId) as ReturnableLine, quantity }));
}

/** What is paid back for them, in cents: the prices paid, and in all never more than was billed. */
export function refundCents(returned: readonly Returned[], billedCents: number, refundedCents: number): number {
  const paid = returned.reduce((sum, { line, quantity }) => sum + quantity * line.price_cents, 0);
  return Math.max(0, Math.min(paid, billedCents - refundedCents));
}
