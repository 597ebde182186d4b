import type { Pool } from 'pg';
import { runStatement, textStatement } from '../../db/statement.ts';
import { ApiError } from '../../errors.ts';
import { clientColumns } from './present-client.ts';

type ClientText = {
  readonly id_key: string;
  readonly name: string;
  readonly lastname: string;
  readonly email: string;
  readonly telephone: string | null;
  readonly version: string;
};

const columns = clientColumns.join(', ');
const oneClient = textStatement<ClientText>('client-one', `SELECT ${columns} FROM clients WHERE id_key = $1 AND deleted_at IS NULL`);
const clientPage = textStatement<ClientText>(
  'client-page',
  `SELECT ${columns} FROM clients WHERE deleted_at IS NULL ORDER BY id_key LIMIT $1 OFFSET $2`,
);

/** @throws not_found also for a deleted client */
export async function readClient(pool: Pool, id: number): Promise<ClientText> {
  const [row] = await runStatement(pool, oneClient, [id]);
  if (!row) throw new ApiError('not_found', 'The client does not exist.');
  return row;
}

export function readClients(pool: Pool, { skip, limit }: { readonly skip: number; readonly limit: number }): Promise<ClientText[]> {
  return runStatement(pool, clientPage, [limit, skip]);
}
