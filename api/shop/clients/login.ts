import type { Passwords } from '../../auth/passwords.ts';
import type { AccessToken, Tokens } from '../../auth/tokens.ts';
import { statement } from '../../db/statement.ts';
import type { Db } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import type { Shown } from '../../http/view.ts';
import type { LoginInput, sessionView } from './client-schema.ts';

type LoginRow = { readonly id_key: number; readonly name: string; readonly password_hash: string | null; readonly is_loadtest: boolean };

const clientByEmail = statement<LoginRow>(
  'client-by-email',
  `SELECT id_key, name, password_hash, created_by_key_id IS NOT NULL AS is_loadtest FROM clients
   WHERE lower(email) = lower($1) AND deleted_at IS NULL`,
);

/**
 * Proves a client by its password.
 * @param signal fires when the client has left; its password is then not checked
 * @throws unauthenticated the same, and after the same time, for a wrong password and for an unknown address
 */
export async function login(
  db: Db,
  { passwords, tokens }: { readonly passwords: Passwords; readonly tokens: Tokens },
  { email, password }: LoginInput,
  signal?: AbortSignal,
): Promise<Shown<typeof sessionView>> {
  const [client] = await db.query(clientByEmail, [email]);
  const isRight = await passwords.verify(password, client?.password_hash ?? undefined, signal);
  if (!client || !isRight) throw new ApiError('unauthenticated', 'The e-mail address or the password is wrong.');
  const token = await tokens.issue({ clientId: client.id_key, quota: client.is_loadtest ? 'loadtest' : 'standard' });
  return { id_key: client.id_key, name: client.name, ...tokenMembers(token) };
}

/** Named as in RFC 6749 §5.1. */
export const tokenMembers = ({ accessToken, expiresInSeconds }: AccessToken) => ({
  access_token: accessToken,
  token_type: 'Bearer',
  expires_in: expiresInSeconds,
});
