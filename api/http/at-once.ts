import { DatabaseError, type QueryResultRow } from 'pg';
import { failureOf, SQLSTATE, sqlStateOf } from '#lib/postgres.ts';
import { maxTogether } from '../db/joined-writes.ts';
import { unseen } from '../db/statement.ts';
import type { Asked, Db } from '../db/tx.ts';
import { inFlight, purging, type Claim } from './idempotency.ts';

/**
 * A write in one statement, which does what a request asks and keeps the answer with its key: one round trip, and locks are
 * held no longer than the database itself takes. It decides nothing that anyone is told: where it is refused it does nothing,
 * as where the key is taken, and `runOnce` then finds out why.
 *
 * The values of such a statement begin with `keepingValues`; its row has `id_key`, `version` and `json`.
 */

/** Whether the key is free, as far as can be seen. */
export const isKeyFree = 'NOT EXISTS (SELECT FROM idempotency_keys WHERE principal = $1 AND key = $2)';

/**
 * Keeps the answer: expressions for WITH. Whoever waits for the key here holds all else it needs, as in `runOnce`, so that nobody
 * waits in a circle; the second of two is undone.
 * @param answer name of the expression that has its row; none where nothing was done
 */
export const keepingAnswer = (answer: string): string => `${purging()}, kept AS (
     INSERT INTO idempotency_keys (principal, key, fingerprint, status, headers, body)
     SELECT $1, $2, $3, 201, jsonb_build_object('Location', $4 || id_key::text, 'ETag', $5::text), json FROM ${answer} WHERE $2 IS NOT NULL
   )`;

/** Longer than a write takes, and far less than one would wait by itself. */
const briefly = `(SELECT set_config('lock_timeout', '100ms', true)) IS NOT NULL`;

/**
 * Several such writes as one statement (see db/joined-writes), of clients' own things: the expression `asked` has, of each whose key
 * is free, and whose client is there and not being changed, its `n`, what is kept, the `id_key` of what it makes, and the columns given.
 * @param table whose ids they get
 * @param columns of the values behind the kept ones: name and type; `client` among them
 */
export function askedTogether(table: string, columns: Readonly<Record<string, string>> & { readonly client: 'bigint' }): string {
  const all = Object.entries({ principal: 'text', key: 'text', fingerprint: 'text', path: 'text', etag: 'text', ...columns });
  const arrays = all.map(([, type], index) => unseen(`$${index + 1}`, `${type}[]`)).join(', ');
  return `asked AS MATERIALIZED (
     SELECT given.*, nextval('${table}_id_key_seq') AS id_key
     FROM unnest(${arrays}) WITH ORDINALITY AS given (${all.map(([name]) => name).join(', ')}, n),
       LATERAL (SELECT FROM clients WHERE id_key = client AND deleted_at IS NULL FOR SHARE SKIP LOCKED) AS held
     WHERE ${briefly} AND (SELECT true FROM idempotency_keys AS taken WHERE taken.principal = given.principal AND taken.key = given.key) IS NULL
   )`;
}

/** Columns of `asked` that `keepingAnswers` needs, and the number. */
export const ofAsked = 'n, principal, key, fingerprint, path, etag';

/** The same as `keepingAnswer` of what `asked` has. In order of the keys, so that nobody waits in a circle. */
export const keepingAnswers = (answer: string): string => `${purging(maxTogether)}, kept AS (
     INSERT INTO idempotency_keys (principal, key, fingerprint, status, headers, body)
     SELECT principal, key, fingerprint, 201, jsonb_build_object('Location', path || id_key::text, 'ETag', etag), json FROM ${answer} ORDER BY principal, key
   )`;

/**
 * @param path what the id follows in Location
 * @param etag of what is new
 */
export const keepingValues = ({ principal, key, fingerprint }: Claim, path: string, etag: string | undefined): readonly unknown[] => [
  principal,
  key,
  fingerprint,
  path,
  etag,
];

/** For the same statement where the answer is not its to keep. */
export const keepingNothing: readonly unknown[] = [null, null, null, null, null];

/**
 * The row of such a statement; undefined when it did nothing, or was undone because another had the key at the same time.
 * @throws idempotency_in_flight when that other takes longer than the lock timeout
 */
export async function runAtOnce<Row extends QueryResultRow>(db: Pick<Db, 'query'>, asked: Asked<Row>): Promise<Row | undefined> {
  try {
    return (await db.query(asked.statement, asked.values))[0];
  } catch (err) {
    if (failureOf(err)?.constraint === 'idempotency_keys_pk') return undefined;
    throw sqlStateOf(err) === SQLSTATE.lockNotAvailable && isOfKey(err) ? inFlight(err) : err;
  }
}

/** Of all locks that it waits for, PostgreSQL says in the context of the error which one it was. */
const isOfKey = (err: unknown): boolean => err instanceof DatabaseError && err.where?.includes('idempotency_keys') === true;
