import { SQLSTATE, sqlStateOf } from '#lib/postgres.ts';
import { ApiError } from '../errors.ts';
import { statement } from './statement.ts';
import type { Session } from './transaction.ts';

export type IdempotencyClaim = {
  /** Whose key it is; the same key of another is another key. */
  readonly principal: string;
  readonly key: string;
  /** The same for the same request. */
  readonly fingerprint: string;
};

type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

type StoredAnswer = {
  readonly fingerprint: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
};

/** A key is held for a day; then it may be used again. */
const claimKey = statement(
  'idempotency-claim',
  `INSERT INTO idempotency_keys AS held (principal, key, fingerprint) VALUES ($1, $2, $3)
   ON CONFLICT (principal, key) DO UPDATE SET fingerprint = $3, status = NULL, headers = NULL, body = NULL, created_at = now()
   WHERE held.created_at < now() - interval '24 hours'
   RETURNING 1 AS claimed`,
);
const readAnswer = statement<StoredAnswer>(
  'idempotency-read',
  'SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE principal = $1 AND key = $2',
);
/** Each answer stored clears away two that are a day old, so the table stays as small as a day's requests, with nobody to look after it. */
const storeAnswer = statement(
  'idempotency-store',
  `WITH purged AS (
     DELETE FROM idempotency_keys WHERE (principal, key) IN (
       SELECT principal, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours'
       ORDER BY created_at LIMIT 2 FOR UPDATE SKIP LOCKED
     )
   )
   UPDATE idempotency_keys SET status = $3, headers = $4, body = $5 WHERE principal = $1 AND key = $2`,
);

/**
 * Runs `work` at most once for a claim, in the transaction of `session`, which also stores its answer: both are there or
 * neither. A second request with the claim waits for the first; it gets the first one's answer with the header
 * `Idempotency-Replayed: true`, or runs itself when the first failed. An error of `work` is not stored. Without a claim
 * `work` simply runs.
 * @throws idempotency_key_reused when the key came with another request before
 * @throws idempotency_in_flight when the first request takes longer than the lock timeout
 */
export async function runOnce<A extends Answer>(session: Session, claim: IdempotencyClaim | undefined, work: () => Promise<A>): Promise<A> {
  if (!claim) return work();
  const { principal, key } = claim;
  if (!(await isClaimed(session, claim))) return replay(claim, await session.query(readAnswer, [principal, key])) as A;
  const answer = await work();
  const { status, headers = {}, body } = answer;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  await session.query(storeAnswer, [principal, key, status, JSON.stringify(headers), text ?? null]);
  return answer;
}

async function isClaimed(session: Session, { principal, key, fingerprint }: IdempotencyClaim): Promise<boolean> {
  try {
    return (await session.query(claimKey, [principal, key, fingerprint])).length > 0;
  } catch (err) {
    if (sqlStateOf(err) !== SQLSTATE.lockNotAvailable) throw err;
    throw new ApiError('idempotency_in_flight', 'A request with this Idempotency-Key is still being worked on.', {}, { cause: err });
  }
}

function replay(claim: IdempotencyClaim, [stored]: readonly StoredAnswer[]): Answer {
  // Cleared away between the two statements; the next attempt will claim it.
  if (!stored) throw new ApiError('idempotency_in_flight', 'The answer to this Idempotency-Key has just expired; try again.');
  if (stored.fingerprint !== claim.fingerprint) {
    throw new ApiError('idempotency_key_reused', 'This Idempotency-Key was used before, for another request.');
  }
  return {
    status: stored.status,
    headers: { ...stored.headers, 'Idempotency-Replayed': 'true' },
    ...(stored.body === null ? {} : { body: stored.body }),
  };
}
