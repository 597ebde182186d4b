import type { Knex } from 'knex';
import { explainConstraints } from '../../db/constraints.ts';
import { Client } from './client.ts';
import type { RegistrationInput } from './client-schema.ts';
import { clientColumns } from './present-client.ts';

export type Registration = Omit<RegistrationInput, 'password'> & {
  readonly passwordHash: string | null;
  /** The load test's key that registers it, if one does. */
  readonly createdByKeyId: number | null;
};

/** @throws duplicate when the e-mail address has an account, in whatever case */
export async function registerClient(trx: Knex.Transaction, registration: Registration): Promise<Client> {
  const { passwordHash, createdByKeyId, ...personal } = registration;
  const row = { ...personal, password_hash: passwordHash, created_by_key_id: createdByKeyId };
  return explainConstraints(
    'write',
    Client.query(trx)
      .insert(row)
      .returning([...clientColumns]),
  );
}
