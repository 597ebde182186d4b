import { createHmac, createSecretKey, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Pool } from 'pg';
import { runStatement, statement } from '../db/statement.ts';
import type { Db, Tx } from '../db/tx.ts';

/** From when its mail is sent: whoever reads the mail later asks for another. */
export const resetLastsSeconds = 1_800;

/**
 * Tokens that let an account have another password once, sent to its e-mail address. A token is the keyed digest of a random
 * nonce: the database holds the nonce alone, so that neither it nor a copy of it gives anybody a token.
 */
export type PasswordResets = {
  /**
   * A token for the account of an e-mail address; undefined where there is none that logs in by password. The same mail gets the
   * same token, however often it is tried, and the time begins anew.
   */
  readonly begin: (pool: Pool, mailId: number, email: string) => Promise<string | undefined>;
  /** The client whose token it is; undefined for one that is unknown, expired or used. */
  readonly find: (db: Db, token: string) => Promise<number | undefined>;
  /** The same, and from then on until the transaction ends nobody else finds it. */
  readonly take: (tx: Tx, token: string) => Promise<number | undefined>;
};

const beginReset = statement<{ nonce: Buffer }>(
  'password-reset-begin',
  `WITH expired AS (DELETE FROM password_resets WHERE expires_at <= now() AND id <> $1)
   INSERT INTO password_resets AS held (id, client_id, nonce, expires_at)
   SELECT $1, id_key, $3, now() + make_interval(secs => $4) FROM clients
   WHERE lower(email) = lower($2) AND deleted_at IS NULL AND password_hash IS NOT NULL
   ON CONFLICT (id) DO UPDATE SET expires_at = EXCLUDED.expires_at WHERE held.client_id = EXCLUDED.client_id
   RETURNING nonce`,
);

type Found = { readonly client_id: number; readonly nonce: Buffer };
const found = 'SELECT client_id, nonce FROM password_resets WHERE id = $1 AND expires_at > now()';
const findReset = statement<Found>('password-reset-find', found);
const takeReset = statement<Found>('password-reset-take', `${found} FOR UPDATE`);

/** @param secret of the server; a new one ends every token */
export function createPasswordResets(secret: string): PasswordResets {
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'atalaya password resets', 32)));
  const digestOf = (id: number, nonce: Buffer): Buffer => createHmac('sha256', key).update(`${id}:`).update(nonce).digest();
  const ownerOf = async (token: string, ask: (id: number) => Promise<Found[]>): Promise<number | undefined> => {
    const [, id, text = ''] = /^atp_(\d{1,15})_([\w-]{43})$/.exec(token) ?? [];
    const [row] = id === undefined ? [] : await ask(Number(id));
    const isOwn = row !== undefined && timingSafeEqual(digestOf(Number(id), row.nonce), Buffer.from(text, 'base64url'));
    return isOwn ? row.client_id : undefined;
  };
  return {
    begin: async (pool, mailId, email) => {
      const [made] = await runStatement(pool, beginReset, [mailId, email, randomBytes(32), resetLastsSeconds]);
      return made && `atp_${mailId}_${digestOf(mailId, made.nonce).toString('base64url')}`;
    },
    find: (db, token) => ownerOf(token, (id) => db.query(findReset, [id])),
    take: (tx, token) => ownerOf(token, (id) => tx.query(takeReset, [id])),
  };
}

const endAll = statement('password-resets-end', 'DELETE FROM password_resets WHERE client_id = $1');

/** Ends every token of a client: once one was used, and when the password or the address changes by another way. */
export async function endResets(tx: Tx, clientId: number): Promise<void> {
  await tx.query(endAll, [clientId]);
}
