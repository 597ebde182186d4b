import { Pool, types, type CustomTypesConfig } from 'pg';
import { ConfigError } from '#lib/errors.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PoolSettings, PostgresSettings } from '#lib/settings.ts';

/** A statement that runs longer is stopped by the server (SQLSTATE 57014). */
const statementTimeoutMs = 10_000;
/** A wait for a lock that takes longer is given up (55P03): better a refusal than a pool full of waiters. */
const lockTimeoutMs = 5_000;
/** A transaction whose process hangs loses its connection, and with it its locks. */
const idleInTransactionTimeoutMs = 15_000;
/** For a server that has gone silent; longer than what the server itself allows. */
const answerTimeoutMs = statementTimeoutMs + 5_000;

/**
 * The process's connections. Opens none yet: the first DB_POOL_SIZE, once opened, are kept; those beyond, up to
 * DB_MAX_OVERFLOW, are closed after 10 s of rest. `connect` and `query` reject after DB_POOL_TIMEOUT without a free
 * connection. bigint columns arrive as numbers, timestamps are read and shown in UTC.
 * @throws {ConfigError} when the pool could not hold a single connection.
 */
export function createPool(settings: PostgresSettings & PoolSettings, applicationName: string): Pool {
  const { min, max } = poolBounds(settings);
  if (max === 0) throw new ConfigError(['DB_POOL_SIZE=0 with DB_MAX_OVERFLOW=0: their sum must be at least 1']);
  const pool = new Pool({
    ...clientOptions(settings, applicationName),
    min,
    max,
    connectionTimeoutMillis: settings.DB_POOL_TIMEOUT * 1_000,
    maxLifetimeSeconds: settings.DB_POOL_RECYCLE,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    options: '-c TimeZone=UTC',
    // Statements that do not wait for one another's answers are sent in one go.
    pipeline: true,
    types: columnTypes,
  });
  // The pool drops a connection that breaks, and the next query reports what is wrong; an unheard event would end the process.
  pool.on('error', () => {});
  // Nobody listens to a connection while it is lent out: a server restart in the middle of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** Connections a pool keeps open and may open. */
export function poolBounds(settings: PoolSettings, limit = Infinity): { readonly min: number; readonly max: number } {
  const max = Math.min(settings.DB_POOL_SIZE + settings.DB_MAX_OVERFLOW, limit);
  return { min: Math.min(settings.DB_POOL_SIZE, max), max };
}

/** Lets a pool open no more than `limit` connections from now on; those beyond are closed once they rest. */
export function limitPool(pool: Pool, settings: PoolSettings, limit: number): void {
  Object.assign(pool.options, poolBounds(settings, limit));
}

/** One connection beside the pool, which a busy pool cannot keep from asking whether the database answers. */
export function createProbe(settings: PostgresSettings): Pool {
  const probe = new Pool({
    ...clientOptions(settings, 'atalaya-health'),
    max: 1,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
    allowExitOnIdle: true,
  });
  probe.on('error', () => {});
  probe.on('connect', (client) => client.on('error', () => {}));
  return probe;
}

const bigintOid = 20;

/** Parsers of this pool alone; `pg`'s own, which everything in the process shares, stay as they are. */
const columnTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text') =>
    oid === bigintOid && format === 'text' ? parseBigint : types.getTypeParser(oid, format)) as CustomTypesConfig['getTypeParser'],
};

/** Ids and money in minor units stay far below 2^53; a value beyond would lose digits silently. */
function parseBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is not exact as a number`);
  return value;
}
