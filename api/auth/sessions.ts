import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { statement } from '../db/statement.ts';
import type { Tx } from '../db/tx.ts';

/**
 * What a client begins by logging in. Its refresh token can be changed for a new one, once: whoever shows one that was
 * changed already has taken it from somebody, or had theirs taken, and the session ends for both.
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2
 */
export type Session = { readonly id: number; readonly refreshToken: string };

/** A client has so many at most; the one that was idle for longest makes room. */
const maxSessions = 20;
/** An answer may be lost, or two windows ask at once: for so long the token before is still taken. Seconds. */
const graceSeconds = 10;

const begin = statement<{ id: number }>(
  'session-begin',
  `WITH ended AS (
     DELETE FROM sessions WHERE id IN (
       SELECT id FROM sessions WHERE client_id = $1 ORDER BY refreshed_at DESC, id DESC OFFSET ${maxSessions - 1}
     ) OR (client_id = $1 AND expires_at <= now())
   )
   INSERT INTO sessions (client_id, refresh_hash, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3)) RETURNING id`,
);

/** @param ttlSeconds how long it lives unless it is refreshed */
export async function beginSession(tx: Tx, clientId: number, ttlSeconds: number): Promise<Session> {
  const secret = randomBytes(32);
  const [made] = await tx.query(begin, [clientId, hashOf(secret), ttlSeconds]);
  const { id } = made as { id: number };
  return { id, refreshToken: tokenOf(id, secret) };
}

type Found = {
  readonly id: number;
  readonly client_id: number;
  readonly refresh_hash: Buffer;
  readonly previous_hash: Buffer | null;
  readonly is_recent: boolean;
};

const find = statement<Found>(
  'session-find',
  `SELECT id, client_id, refresh_hash, previous_hash, refreshed_at > now() - interval '${graceSeconds} seconds' AS is_recent
   FROM sessions WHERE id = $1 AND expires_at > now() FOR UPDATE`,
);
const refresh = statement(
  'session-refresh',
  `UPDATE sessions SET previous_hash = refresh_hash, refresh_hash = $2, refreshed_at = now(), expires_at = now() + make_interval(secs => $3)
   WHERE id = $1`,
);

/** What became of a refresh token. */
export type Refreshed =
  | (Session & { readonly outcome: 'refreshed'; readonly clientId: number })
  /** It had been changed before: its session is over, once this is committed. */
  | { readonly outcome: 'stolen'; readonly clientId: number }
  | { readonly outcome: 'unknown' };

/** A new refresh token for one, and whose session it is. */
export async function refreshSession(tx: Tx, token: string, ttlSeconds: number): Promise<Refreshed> {
  const [, id, text] = /^atr_(\d{1,15})_([\w-]{43})$/.exec(token) ?? [];
  const [found] = id === undefined ? [] : await tx.query(find, [Number(id)]);
  if (found === undefined || text === undefined) return { outcome: 'unknown' };
  const hash = hashOf(Buffer.from(text, 'base64url'));
  const isCurrent = timingSafeEqual(hash, found.refresh_hash);
  const isJustChanged = found.is_recent && found.previous_hash !== null && timingSafeEqual(hash, found.previous_hash);
  if (!isCurrent && !isJustChanged) {
    await endSessions(tx, found.client_id, { only: found.id });
    return { outcome: 'stolen', clientId: found.client_id };
  }
  const secret = randomBytes(32);
  await tx.query(refresh, [found.id, hashOf(secret), ttlSeconds]);
  return { outcome: 'refreshed', id: found.id, clientId: found.client_id, refreshToken: tokenOf(found.id, secret) };
}

const end = statement(
  'session-end',
  'DELETE FROM sessions WHERE client_id = $1 AND ($2::bigint IS NULL OR id = $2) AND ($3::bigint IS NULL OR id <> $3)',
);

/** Ends the sessions of a client: all of them, `only` one, or all but one. Their access tokens end within 5 s, everywhere. */
export async function endSessions(
  tx: Tx,
  clientId: number,
  { only, but }: { readonly only?: number | undefined; readonly but?: number | undefined } = {},
): Promise<void> {
  await tx.query(end, [clientId, only ?? null, but ?? null]);
}

const tokenOf = (id: number, secret: Buffer): string => `atr_${id}_${secret.toString('base64url')}`;

const hashOf = (secret: Buffer): Buffer => createHash('sha256').update(secret).digest();
