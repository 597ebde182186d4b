import { Model } from 'objection';
import { clientNotFound } from '../../auth/principal.ts';
import { textStatement, unseen } from '../../db/statement.ts';
import type { Db, Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import { askPage, pageOf, type Page, type WrittenPage } from '../pages.ts';
import { assertVersion, raised } from '../versioned.ts';
import { addressView, type AddressChanges, type AddressInput } from './address-schema.ts';

/** Where a client's things are sent. All of it is personal: it goes when the client does. */
class Address extends Model {
  static override readonly tableName = 'addresses';
  static override readonly idColumn = 'id_key';

  declare readonly id_key: number;
  declare readonly street: string | null;
  declare readonly number: string | null;
  declare readonly city: string | null;
  declare readonly client_id: number;
  declare readonly version: number;
}

type AddressText = {
  readonly id_key: string;
  readonly street: string | null;
  readonly number: string | null;
  readonly city: string | null;
  readonly client_id: string;
  readonly version: string;
};

const addressesById = textStatement<AddressText>(
  'addresses-by-id',
  `SELECT ${addressView.select} FROM addresses WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`,
);
const addressPage = pageOf('address-page', addressView, 'addresses');
const addressesOfClient = pageOf('address-page-of-client', addressView, 'addresses', 'client_id = $4');

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
  return only === undefined ? askPage(db, addressPage, page) : askPage(db, addressesOfClient, page, [only]);
}

/** @throws not_found when there is no such client */
export async function createAddress(tx: Tx, input: AddressInput): Promise<Address> {
  // Held until the end, so that a client deleted meanwhile does not leave it behind.
  const owner = await tx.knex('clients').where({ id_key: input.client_id }).whereNull('deleted_at').forShare().first('id_key');
  if (owner === undefined) throw clientNotFound('/client_id');
  return Address.query(tx.knex)
    .insert(input)
    .returning([...addressView.columns]);
}

type Addressed = { readonly id: number; readonly only: number | undefined; readonly ifMatch: readonly number[] | undefined };

/** @throws not_found also for another's, version_mismatch, or validation_failed when it would become another client's */
export async function updateAddress(tx: Tx, changes: AddressChanges, addressed: Addressed): Promise<Address> {
  const found = await lock(tx, addressed);
  const { client_id: clientId = found.client_id, ...fields } = changes;
  if (clientId !== found.client_id)
    throw new ApiError('validation_failed', 'An address stays its client’s.', {
      errors: [{ pointer: '/client_id', message: 'is not the client that it belongs to' }],
    });
  return Address.query(tx.knex).patchAndFetchById(found.id_key, raised(fields));
}

/** @throws not_found also for another's, or version_mismatch */
export async function deleteAddress(tx: Tx, addressed: Addressed): Promise<void> {
  await Address.query(tx.knex).deleteById((await lock(tx, addressed)).id_key);
}

async function lock(tx: Tx, { id, only, ifMatch }: Addressed): Promise<Address> {
  const found = await Address.query(tx.knex).findById(id).forUpdate();
  assertVersion(found?.client_id === (only ?? found?.client_id) ? found : undefined, ifMatch, 'address');
  return found as Address;
}

/** Part of a client's deletion. */
export async function eraseAddresses(tx: Tx, clientId: number): Promise<void> {
  await Address.query(tx.knex).delete().where({ client_id: clientId });
}
