import type { Knex } from 'knex';
import { raw } from 'objection';
import { assertVersion } from '../assert-version.ts';
import { Client } from './client.ts';

export type ClientDeletion = {
  readonly id: number;
  /** When a load test asks: its key, which must have made the client. */
  readonly madeByKeyId?: number | undefined;
  readonly ifMatch: number | undefined;
};

/**
 * Ends an account for good: nothing personal is left of it, nobody can log in, the address is free again. Orders stay.
 * @throws not_found also when it was deleted before, or made by someone else than the load test that asks
 * @throws version_mismatch
 */
export async function deleteClient(knex: Knex, { id, madeByKeyId, ifMatch }: ClientDeletion): Promise<void> {
  await knex.transaction(async (trx) => {
    const query = Client.query(trx).findById(id).whereNull('deleted_at').forNoKeyUpdate();
    if (madeByKeyId !== undefined) query.where('created_by_key_id', madeByKeyId);
    const client = await query;
    assertVersion(client, ifMatch, 'client');
    const emptied = {
      name: 'deleted',
      lastname: 'deleted',
      email: `deleted-${id}@invalid`,
      telephone: null,
      password_hash: null,
      deleted_at: raw('now()'),
      version: raw('version + 1'),
      updated_at: raw('now()'),
    };
    await Client.query(trx)
      .patch(emptied as object)
      .where('id_key', id);
  });
}
