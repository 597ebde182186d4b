import type { Knex } from 'knex';
import { raw } from 'objection';
import { assertVersion } from '../assert-version.ts';
import { explainConstraints } from '../../db/constraints.ts';
import { Client } from './client.ts';
import type { ClientChanges } from './client-schema.ts';

export type ClientUpdate = { readonly id: number; readonly changes: ClientChanges; readonly ifMatch: number | undefined };

/**
 * Changes the fields given.
 * @throws not_found also for a deleted client
 * @throws version_mismatch
 * @throws duplicate when the new e-mail address has another account
 */
export async function updateClient(knex: Knex, { id, changes, ifMatch }: ClientUpdate): Promise<Client> {
  return knex.transaction(async (trx) => {
    const client = await Client.query(trx).findById(id).whereNull('deleted_at').forNoKeyUpdate();
    assertVersion(client, ifMatch, 'client');
    const patch = { ...changes, version: raw('version + 1'), updated_at: raw('now()') };
    return explainConstraints('write', Client.query(trx).patchAndFetchById(id, patch as object));
  });
}
