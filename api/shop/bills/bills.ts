import { clientNotFound } from '../../auth/principal.ts';
import { textStatement, unseen } from '../../db/statement.ts';
import type { AtOnce, Db, Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import { askedTogether, isKeyFree, keepingAnswer, keepingAnswers, keepingNothing, ofAsked } from '../../http/at-once.ts';
import { askEachPage, askPage, pageOf, pagesOfEach, type Page, type WrittenPage } from '../pages.ts';
import { assertVersion } from '../versioned.ts';
import { billView, type BillChanges, type BillInput } from './bill-schema.ts';

/**
 * What a client is asked to pay: the total of the one order that refers to it, less the discount, and never below nothing.
 * Nobody's word is taken for it; `settleBill` writes it whenever the order changes.
 */

export type BillText = {
  readonly id_key: string;
  readonly bill_number: string;
  readonly discount_cents: string;
  readonly date: string;
  readonly total_cents: string;
  readonly payment_type: string;
  readonly client_id: string;
  readonly version: string;
};

const billsById = textStatement<BillText>(
  'bills-by-id',
  `SELECT ${billView.select} FROM bills WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`,
);
const billPage = pageOf('bill-page', billView, 'bills');
const billsOfClient = pagesOfEach('bill-pages-of-clients', billView, 'bills', { asked: ['client'], condition: 'client_id = asked.client' });

const notFound = (pointer?: string): ApiError =>
  new ApiError('not_found', 'The bill does not exist.', pointer === undefined ? {} : { errors: [{ pointer, message: 'does not exist' }] });

/**
 * @param only whose bill it must be; undefined: anyone's
 * @throws not_found also for another's
 */
export async function readBill(db: Db, id: number, only: number | undefined): Promise<BillText> {
  const row = await db.byId(billsById, id);
  if (!row || (only !== undefined && row.client_id !== String(only))) throw notFound();
  return row;
}

/** @param only whose bills; undefined: everyone's */
export function readBills(db: Db, page: Page, only: number | undefined): Promise<WrittenPage> {
  return only === undefined ? askPage(db, billPage, page) : askEachPage(db, billsOfClient, page, [only]);
}

const today = `(now() AT TIME ZONE 'UTC')::date`;
const nextNumber = `'A-' || to_char(now() AT TIME ZONE 'UTC', 'YYYY') || '-' || nextval('bill_numbers')`;

const recordBill = textStatement<BillText>(
  'bill-record',
  `WITH made AS (
     INSERT INTO bills (bill_number, discount_cents, date, payment_type, client_id)
     SELECT coalesce($6, ${nextNumber}), $7, coalesce($8::date, ${today}), $9, id_key
     FROM clients WHERE ${isKeyFree} AND id_key = $10 AND deleted_at IS NULL FOR SHARE
     RETURNING *
   ), answer AS (
     SELECT ${billView.select}, ${billView.sql} AS json FROM made
   ), ${keepingAnswer('answer')}
   SELECT ${billView.select} FROM answer`,
);

const recordBills = textStatement<BillText & { readonly n: string }>(
  'bills-record',
  `WITH ${askedTogether('bills', { bill: 'text', cents: 'bigint', day: 'date', payment: 'smallint', client: 'bigint' })}, made AS (
     INSERT INTO bills (id_key, bill_number, discount_cents, date, payment_type, client_id) OVERRIDING SYSTEM VALUE
     SELECT id_key, coalesce(bill, ${nextNumber}), cents, coalesce(day, ${today}), payment, client FROM asked
     RETURNING *
   ), answer AS (
     SELECT ${ofAsked}, ${billView.select}, ${billView.sql} AS json FROM made JOIN asked USING (id_key)
   ), ${keepingAnswers('answer')}
   SELECT n, ${billView.select} FROM answer`,
);

/** @param keeping the first values of the statement: what is kept under which key */
const recording = ({ bill_number, discount, date, payment_type, client_id }: BillInput, keeping: readonly unknown[]) => ({
  statement: recordBill,
  many: recordBills,
  values: [...keeping, bill_number ?? null, discount, date ?? null, payment_type, client_id],
});

/**
 * Makes the bill by one statement that also keeps its answer; undefined for one that brings its number, under which two of one key
 * would meet before they meet under the key.
 */
export const billAtOnce = (input: BillInput, keeping: readonly unknown[]): AtOnce | undefined =>
  input.bill_number === undefined ? recording(input, keeping) : undefined;

/** @throws not_found when there is no such client, or duplicate when the number is taken */
export async function createBill(tx: Tx, input: BillInput): Promise<BillText> {
  const { statement, values } = recording(input, keepingNothing);
  const [bill] = await tx.query(statement, values);
  if (!bill) throw clientNotFound('/client_id');
  return bill;
}

const lockBill = textStatement<BillText>('bill-lock', `SELECT ${billView.select} FROM bills WHERE id_key = $1 FOR NO KEY UPDATE`);
const changeBill = textStatement<BillText>(
  'bill-change',
  `UPDATE bills SET bill_number = coalesce($2, bill_number), discount_cents = coalesce($3, discount_cents), date = coalesce($4::date, date),
     payment_type = coalesce($5, payment_type), version = version + 1, updated_at = now()
   WHERE id_key = $1 RETURNING ${billView.select}`,
);

type Addressed = { readonly id: number; readonly ifMatch: readonly number[] | undefined };

/** @throws not_found, version_mismatch, or duplicate when the new number is taken */
export async function updateBill(tx: Tx, changes: BillChanges, addressed: Addressed): Promise<BillText> {
  await lock(tx, addressed);
  const { bill_number = null, discount = null, date = null, payment_type = null } = changes;
  const [bill] = await tx.query(changeBill, [addressed.id, bill_number, discount, date, payment_type]);
  return bill as BillText;
}

const removeBill = textStatement('bill-remove', 'DELETE FROM bills WHERE id_key = $1');

/** @throws not_found, version_mismatch, or in_use while an order refers to it */
export async function deleteBill(tx: Tx, addressed: Addressed): Promise<void> {
  await lock(tx, addressed);
  tx.atEnd({ statement: removeBill, values: [addressed.id] });
}

async function lock(tx: Tx, { id, ifMatch }: Addressed): Promise<void> {
  const [bill] = await tx.query(lockBill, [id]);
  assertVersion(bill && { version: Number(bill.version) }, ifMatch, 'bill');
}

/**
 * Lets an order refer to a bill, which is locked by then.
 * @throws not_found at `/bill_id` when there is none, or it is another client's
 */
export async function assertBillOf(tx: Tx, billId: number, clientId: number): Promise<void> {
  const [bill] = await tx.query(lockBill, [billId]);
  if (bill?.client_id !== String(clientId)) throw notFound('/bill_id');
}

const settle = textStatement(
  'bill-settle',
  'UPDATE bills SET ordered_cents = $2, version = version + 1, updated_at = now() WHERE id_key = $1 AND ordered_cents <> $2',
);

/** Brings a bill to what its order makes now, at the end of the transaction. */
export function settleBill(tx: Tx, billId: number, orderCents: number): void {
  tx.atEnd({ statement: settle, values: [billId, orderCents] });
}

const settleByOrder = textStatement(
  'bill-settle-by-order',
  `UPDATE bills SET ordered_cents = orders.total_cents, version = bills.version + 1, updated_at = now() FROM orders
   WHERE bills.id_key = $1 AND orders.id_key = $2 AND ordered_cents <> orders.total_cents`,
);

/** The same, for an order whose total is known only at the end. */
export function settleBillByOrder(tx: Tx, billId: number, orderId: number): void {
  tx.atEnd({ statement: settleByOrder, values: [billId, orderId] });
}
