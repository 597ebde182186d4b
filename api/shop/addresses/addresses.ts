import { clientNotFound } from '../../auth/principal.ts';
import { statement, textStatement, unseen } from '../../db/statement.ts';
import type { Asked, AtOnce, Db, Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import { askedTogether, isKeyFree, keepingAnswer, keepingAnswers, keepingNothing, ofAsked } from '../../http/at-once.ts';
import { askEachPage, askPage, pageOf, pagesOfEach, type Page, type WrittenPage } from '../pages.ts';
import { assertVersion, changeTogether, valuesTogether, type Addressed } from '../versioned.ts';
import { addressView, type AddressChanges, type AddressInput } from './address-schema.ts';

/** Where a client's things are sent. All of it is personal: it goes when the client does. */

type AddressText = {
  readonly id_key: string;
  readonly street: string | null;
  readonly number: string | null;
  readonly city: string | null;
  readonly client_id: string;
  readonly version: string;
};

type Address = Pick<AddressText, 'street' | 'number' | 'city'> & {
  readonly id_key: number;
  readonly client_id: number;
  readonly version: number;
};

const addressesById = textStatement<AddressText>(
  'addresses-by-id',
  `SELECT ${addressView.select} FROM addresses WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`,
);
const addressPage = pageOf('address-page', addressView, 'addresses');
const addressesOfClient = pagesOfEach('address-pages-of-clients', addressView, 'addresses', {
  asked: ['client'],
  condition: 'client_id = asked.client',
});

const notFound = (): ApiError => new ApiError('not_found', 'The address does not exist.');

/**
 * @param only whose address it must be; undefined: anyone's
 * @throws not_found also for another's
 */
export async function readAddress(db: Db, id: number, only: number | undefined): Promise<AddressText> {
  const row = await db.byId(addressesById, id);
  if (!row || (only !== undefined && row.client_id !== String(only))) throw notFound();
  return row;
}

/** @param only whose addresses; undefined: everyone's */
export function readAddresses(db: Db, page: Page, only: number | undefined): Promise<WrittenPage> {
  return only === undefined ? askPage(db, addressPage, page) : askEachPage(db, addressesOfClient, page, [only]);
}

const recordAddress = textStatement<AddressText>(
  'address-record',
  `WITH made AS (
     INSERT INTO addresses (street, number, city, client_id)
     SELECT $6, $7, $8, id_key FROM clients WHERE ${isKeyFree} AND id_key = $9 AND deleted_at IS NULL FOR SHARE
     RETURNING *
   ), answer AS (
     SELECT ${addressView.select}, ${addressView.sql} AS json FROM made
   ), ${keepingAnswer('answer')}
   SELECT ${addressView.select} FROM answer`,
);

const recordAddresses = textStatement<AddressText & { readonly n: string }>(
  'addresses-record',
  `WITH ${askedTogether('addresses', { new_street: 'text', new_number: 'text', new_city: 'text', client: 'bigint' })}, made AS (
     INSERT INTO addresses (id_key, street, number, city, client_id) OVERRIDING SYSTEM VALUE
     SELECT id_key, new_street, new_number, new_city, client FROM asked
     RETURNING *
   ), answer AS (
     SELECT ${ofAsked}, ${addressView.select}, ${addressView.sql} AS json FROM made JOIN asked USING (id_key)
   ), ${keepingAnswers('answer')}
   SELECT n, ${addressView.select} FROM answer`,
);

/** @param keeping the first values of the statement: what is kept under which key, which then must be the client's own */
export const addressAtOnce = ({ street, number, city, client_id }: AddressInput, keeping: readonly unknown[]): AtOnce<AddressText> => ({
  statement: recordAddress,
  many: recordAddresses,
  values: [...keeping, street, number, city, client_id],
});

/** @throws not_found when there is no such client */
export async function createAddress(tx: Tx, input: AddressInput): Promise<AddressText> {
  const { statement: record, values } = addressAtOnce(input, keepingNothing);
  const [made] = await tx.query(record, values);
  if (!made) throw clientNotFound('/client_id');
  return made;
}

const lockAddress = statement<Address>('address-lock', `SELECT ${addressView.select} FROM addresses WHERE id_key = $1 FOR NO KEY UPDATE`);
const changeAddress = statement(
  'address-change',
  'UPDATE addresses SET street = $2, number = $3, city = $4, version = version + 1, updated_at = now() WHERE id_key = $1',
);

/** @throws not_found also for another's, version_mismatch, or validation_failed when it would become another client's */
export async function updateAddress(tx: Tx, changes: AddressChanges, addressed: Addressed): Promise<Address> {
  const found = await lock(tx, addressed);
  const { street = found.street, number = found.number, city = found.city, client_id: clientId = found.client_id } = changes;
  if (clientId !== found.client_id)
    throw new ApiError('validation_failed', 'An address stays its client’s.', {
      errors: [{ pointer: '/client_id', message: 'is not the client that it belongs to' }],
    });
  tx.atEnd({ statement: changeAddress, values: [found.id_key, street, number, city] });
  return { ...found, street, number, city, version: found.version + 1 };
}

const changeAddresses = textStatement<AddressText & { readonly n: string }>(
  'addresses-change',
  changeTogether({
    table: 'addresses',
    kept: 'client_id',
    changed: { street: 'text', number: 'text', city: 'text' },
    select: addressView.select,
  }),
);

/** The same for many at once, of which this is one; undefined where it must go alone. */
export function addressTogether({ street, number, city, client_id }: AddressChanges, addressed: Addressed): Asked | undefined {
  const values = valuesTogether(addressed, client_id, [street, number, city]);
  return values && { statement: changeAddresses, values };
}

const removeAddress = statement('address-remove', 'DELETE FROM addresses WHERE id_key = $1');

/** @throws not_found also for another's, or version_mismatch */
export async function deleteAddress(tx: Tx, addressed: Addressed): Promise<void> {
  const { id_key: id } = await lock(tx, addressed);
  tx.atEnd({ statement: removeAddress, values: [id] });
}

/** Nobody else changes it until the end, so that what it becomes is known before it is written, together with COMMIT. */
async function lock(tx: Tx, { id, only, ifMatch }: Addressed): Promise<Address> {
  const [found] = await tx.query(lockAddress, [id]);
  assertVersion(only === undefined || found?.client_id === only ? found : undefined, ifMatch, 'address');
  return found as Address;
}

const removeAll = statement('address-remove-all', 'DELETE FROM addresses WHERE client_id = $1');

/** Part of a client's deletion. */
export async function eraseAddresses(tx: Tx, clientId: number): Promise<void> {
  await tx.query(removeAll, [clientId]);
}
