import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { SQLSTATE, sqlStateOf } from '#lib/postgres.ts';
import { principalKey, type Principal } from '../auth/principal.ts';
import { statement } from '../db/statement.ts';
import type { Asked, Tx } from '../db/tx.ts';
import { ApiError } from '../errors.ts';
import { canonicalPath } from './match-route.ts';
import type { Route } from './route.ts';
import { addressKey } from './trusted-proxies.ts';

/**
 * At most once: a request that comes again under its Idempotency-Key is answered as the first time, for a day. The key's
 * row commits with what the request did, so both are there or neither.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */

export type Claim = {
  /** Whose key it is; the same key of another is another key. */
  readonly principal: string;
  readonly key: string;
  /** The same for the same request. */
  readonly fingerprint: string;
};

export type OnceAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** The principal whose personal data it holds; see `eraseAnswersAbout`. */
  readonly owner?: string | undefined;
};

/** The parts of a request that make it the same as another. */
export type ClaimedRequest = {
  readonly route: Pick<Route, 'method' | 'write' | 'secrets'>;
  /** As sent: all names of a path count as one. */
  readonly path: string;
  /** As sent, so that a default added later does not make an old request a new one. */
  readonly rawBody: unknown;
  readonly principal: Principal;
  readonly address: string;
  /** Value of Idempotency-Key. */
  readonly header: string | undefined;
};

export type ClaimSettings = {
  /** Of the server; what is derived from it keeps a stolen table from being guessed at. */
  readonly secret: string;
  /** Whether a POST without the header is refused. */
  readonly isRequired: boolean;
};

/**
 * Reads the claim of a request; undefined when it makes none, or its route is not written once.
 * @throws idempotency_key_invalid when the key is malformed, or missing where one is required
 */
export function createClaims({ secret, isRequired }: ClaimSettings): (request: ClaimedRequest) => Claim | undefined {
  const hmacKey = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'atalaya idempotency keys', 32)));
  const digest = (text: string): string => createHmac('sha256', hmacKey).update(text).digest('hex');
  return ({ route, path, rawBody, principal, address, header }) => {
    if (route.write !== 'once') return undefined;
    if (header !== undefined) {
      const body = canonicalJson(withoutSecrets(rawBody, route.secrets));
      return {
        // The address is digested: it is personal, and nobody needs to read it here.
        principal: principalKey(principal) ?? `anonymous:${digest(addressKey(address))}`,
        key: parseIdempotencyKey(header),
        fingerprint: digest(`${route.method} ${canonicalPath(path)}\n${body}`),
      };
    }
    if (!isRequired) return undefined;
    throw new ApiError('idempotency_key_invalid', 'Idempotency-Key is required.', {
      errors: [{ pointer: 'Idempotency-Key', message: 'is required' }],
    });
  };
}

/**
 * The value of Idempotency-Key: bare as many clients send it, or a quoted string as the IETF draft has it.
 * @throws idempotency_key_invalid unless it has 1 to 255 visible ASCII characters
 */
export function parseIdempotencyKey(header: string): string {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header.trim())?.[1];
  const key = quoted === undefined ? header.trim() : quoted.replaceAll(/\\(["\\])/g, '$1');
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new ApiError('idempotency_key_invalid', 'Idempotency-Key must have 1 to 255 visible ASCII characters.', {
    errors: [{ pointer: 'Idempotency-Key', message: 'must have 1 to 255 visible ASCII characters' }],
  });
}

/** Secrets are left out even of a digest: a low-entropy one could be guessed by whoever knows the key. */
function withoutSecrets(body: unknown, secrets: readonly string[]): unknown {
  if (secrets.length === 0 || typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !secrets.includes(name)));
}

/** JSON with the members of every object in order of their names. The depth is bounded where the body is read. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}

/**
 * Takes a key for this request; a key is held for a day, then it may be used again. One without an answer that others can
 * see is held by nobody: its BEGIN was canceled, so that the claim stood alone.
 */
export const claimKey = statement(
  'idempotency-claim',
  `INSERT INTO idempotency_keys AS held (principal, key, fingerprint) VALUES ($1, $2, $3)
   ON CONFLICT (principal, key) DO UPDATE
     SET fingerprint = $3, status = NULL, headers = NULL, body = NULL, owner = NULL, created_at = now()
     WHERE held.created_at < now() - interval '24 hours' OR held.status IS NULL
   RETURNING 1 AS claimed`,
);

type StoredAnswer = OnceAnswer & { readonly fingerprint: string; readonly body: string | null };

const readAnswer = statement<StoredAnswer>(
  'idempotency-read',
  'SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE principal = $1 AND key = $2',
);

/**
 * Of the statement that stores answers: clears away two for each that are a day old, so that the table stays as small as a day's
 * requests, with nobody to look after it.
 * @param most how many it stores
 */
export const purging = (most = 1): string => `purged AS (
     DELETE FROM idempotency_keys WHERE (principal, key) IN (
       SELECT principal, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours'
       ORDER BY created_at LIMIT ${2 * most} FOR UPDATE SKIP LOCKED
     )
   )`;

export const storeAnswer = statement(
  'idempotency-store',
  `WITH ${purging()}
   UPDATE idempotency_keys SET status = $3, headers = $4, body = $5, owner = $6 WHERE principal = $1 AND key = $2`,
);

/**
 * Runs `work` at most once for a claim, and stores its answer. A second request with the claim waits for the first; it
 * gets the first one's answer with the header `Idempotency-Replayed: true`, or runs itself when the first failed. An error
 * of `work` is not stored. Without a claim `work` simply runs.
 * @param foreseen what `work` will ask first; sent along with the claim, and ahead of it: `keepingAnswer` too has its locks before
 *   it has the key, and whoever took the two the other way round would meet it in a circle
 * @throws idempotency_key_reused when the key came with another request before
 * @throws idempotency_in_flight when the first request takes longer than the lock timeout
 * @throws gone when the answer has been erased
 */
export async function runOnce(tx: Tx, claim: Claim | undefined, work: () => Promise<OnceAnswer>, foreseen?: Asked): Promise<OnceAnswer> {
  const ahead = foreseen && tx.foresee(foreseen);
  const claimed = claim && isClaimed(tx, claim);
  if (!claim) return work();
  claimed?.catch(() => {});
  // Where that failed, the transaction is broken, and nothing asked after it says why.
  await ahead;
  const { principal, key } = claim;
  if (!(await claimed)) return replay(claim, await tx.query(readAnswer, [principal, key]));
  const answer = await work();
  const { status, headers, body = null, owner = null } = answer;
  tx.atEnd({ statement: storeAnswer, values: [principal, key, status, JSON.stringify(headers), body, owner] });
  return answer;
}

async function isClaimed(tx: Tx, { principal, key, fingerprint }: Claim): Promise<boolean> {
  try {
    return (await tx.query(claimKey, [principal, key, fingerprint])).length > 0;
  } catch (err) {
    throw sqlStateOf(err) === SQLSTATE.lockNotAvailable ? inFlight(err) : err;
  }
}

/** @param cause the lock timeout of a wait for the key */
export const inFlight = (cause: unknown): ApiError =>
  new ApiError('idempotency_in_flight', 'A request with this Idempotency-Key is still being worked on.', {}, { cause });

function replay(claim: Claim, [stored]: readonly StoredAnswer[]): OnceAnswer {
  // Cleared away between the two statements; the next attempt will claim it.
  if (!stored) throw new ApiError('idempotency_in_flight', 'The answer to this Idempotency-Key has just expired; try again.');
  const { fingerprint, status, headers, body } = stored;
  if (fingerprint !== claim.fingerprint) {
    throw new ApiError('idempotency_key_reused', 'This Idempotency-Key was used before, for another request.');
  }
  if (status === erased) throw new ApiError('gone', 'What this Idempotency-Key made has been deleted since.');
  return { status, headers: { ...headers, 'Idempotency-Replayed': 'true' }, body: body ?? undefined };
}

const erased = 410;

/** The keys stay taken: a request that is still on its way must not make anew what was deleted. */
const eraseAnswers = statement(
  'idempotency-erase',
  `WITH own AS (DELETE FROM idempotency_keys WHERE principal = $1)
   UPDATE idempotency_keys SET status = ${erased}, headers = NULL, body = NULL WHERE owner = $1 AND principal <> $1`,
);

/** Forgets every answer given to a principal, and every answer about it that was given to others. */
export async function eraseAnswersAbout(tx: Tx, owner: string): Promise<void> {
  await tx.query(eraseAnswers, [owner]);
}
