import type { Pool } from 'pg';
import type { Passwords } from '../../auth/passwords.ts';
import type { AccessToken, Tokens } from '../../auth/tokens.ts';
import { runStatement, statement } from '../../db/statement.ts';
import { ApiError } from '../../errors.ts';
import type { LoginInput } from './client-schema.ts';

type LoginRow = { readonly id_key: number; readonly name: string; readonly password_hash: string | null; readonly is_loadtest: boolean };

const clientByEmail = statement<LoginRow>(
  'client-by-email',
  `SELECT id_key, name, password_hash, created_by_key_id IS NOT NULL AS is_loadtest FROM clients
   WHERE lower(email) = lower($1) AND deleted_at IS NULL`,
);

export type Login = { readonly client: { readonly id_key: number; readonly name: string }; readonly token: AccessToken };

/**
 * Proves a client by its password.
 * @param signal fires when the client has left; its password is then not checked
 * @throws unauthenticated the same, and after the same time, for a wrong password and for an unknown address
 */
export async function login(
  { pool, passwords, tokens }: { readonly pool: Pool; readonly passwords: Passwords; readonly tokens: Tokens },
  { email, password }: LoginInput,
  signal?: AbortSignal,
): Promise<Login> {
  const [client] = await runStatement(pool, clientByEmail, [email]);
  const isRight = await passwords.verify(password, client?.password_hash ?? undefined, signal);
  if (!client || !isRight) throw new ApiError('unauthenticated', 'The e-mail address or the password is wrong.');
  const token = await tokens.issue({ clientId: client.id_key, quota: client.is_loadtest ? 'loadtest' : 'standard' });
  return { client, token };
}
