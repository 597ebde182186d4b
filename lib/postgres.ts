import type { ClientConfig } from 'pg';
import { ConfigError, UnreachableError, messageOf } from './errors.ts';
import type { PostgresSettings } from './settings.ts';

/** SQLSTATE codes the project acts on. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const SQLSTATE = {
  notNullViolation: '23502',
  foreignKeyViolation: '23503',
  uniqueViolation: '23505',
  checkViolation: '23514',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
  adminShutdown: '57P01',
  cannotConnectNow: '57P03',
  invalidPassword: '28P01',
  invalidAuthorization: '28000',
  databaseDoesNotExist: '3D000',
  undefinedTable: '42P01',
  undefinedColumn: '42703',
  insufficientPrivilege: '42501',
  readOnlyTransaction: '25006',
  duplicateDatabase: '42P04',
  tooManyConnections: '53300',
} as const;

/** Options of one `pg` client. `applicationName` shows in pg_stat_activity. */
export function clientOptions(settings: PostgresSettings, applicationName: string): ClientConfig {
  return {
    host: settings.POSTGRES_HOST,
    port: settings.POSTGRES_PORT,
    database: settings.POSTGRES_DB,
    user: settings.POSTGRES_USER,
    ...(settings.POSTGRES_PASSWORD === undefined ? {} : { password: settings.POSTGRES_PASSWORD }),
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
  };
}

/** The environment libpq's own tools read, so that no password stands in an argument list. */
export function libpqEnvironment(settings: PostgresSettings, applicationName: string): Record<string, string> {
  return {
    PGHOST: settings.POSTGRES_HOST,
    PGPORT: String(settings.POSTGRES_PORT),
    PGUSER: settings.POSTGRES_USER,
    PGDATABASE: settings.POSTGRES_DB,
    ...(settings.POSTGRES_PASSWORD === undefined ? {} : { PGPASSWORD: settings.POSTGRES_PASSWORD }),
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: '5',
  };
}

/** The SQLSTATE of an error thrown by `pg`, if it has one. None begins with E, as the system's EPIPE and EPERM do. */
export function sqlStateOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code) ? code : undefined;
}

/**
 * What a failure of PostgreSQL, or of the way to it, means:
 * - `unreachable`: nothing answers there, or the connection broke; a statement sent before that may have been carried out
 * - `refused-for-now`: the server is starting, stopping or out of memory or disk; it ended what ran
 * - `too-many-connections`: it answers, and has none left · `pool-timeout`: none became free in our own pool
 * - `credentials`, `no-database`, `no-permission`: it refuses this user, database or action · `not-migrated`: a table or column is missing
 * - `too-slow`: canceled by a time limit or a lock not got · `conflict`: rolled back for a concurrent transaction; try it again
 * - `read-only`: a standby · `constraint`: 23xxx, named by `constraint` · `bad-value`: 22xxx, a value it cannot hold
 */
export type FailureKind =
  | 'unreachable'
  | 'refused-for-now'
  | 'too-many-connections'
  | 'pool-timeout'
  | 'credentials'
  | 'no-database'
  | 'no-permission'
  | 'not-migrated'
  | 'too-slow'
  | 'conflict'
  | 'read-only'
  | 'constraint'
  | 'bad-value';

type PostgresFailure = {
  readonly kind: FailureKind;
  /** Undefined when the server said nothing. */
  readonly sqlState: string | undefined;
  /** Name of the violated constraint, where the server names one. */
  readonly constraint: string | undefined;
};

/** Explains what `pg`, its pool, knex or Objection threw; undefined for anything else, such as a wrong statement. Pure. */
export function failureOf(thrown: unknown): PostgresFailure | undefined {
  // Objection wraps what the driver throws.
  const err = (thrown as { nativeError?: unknown } | null | undefined)?.nativeError ?? thrown;
  const sqlState = sqlStateOf(err);
  const kind = sqlState === undefined ? kindOfMessage(err) : kindOfState(sqlState);
  const { constraint } = (err ?? {}) as { constraint?: unknown };
  return kind && { kind, sqlState, constraint: typeof constraint === 'string' ? constraint : undefined };
}

const kindOfStates: Readonly<Record<string, FailureKind>> = {
  [SQLSTATE.databaseDoesNotExist]: 'no-database',
  [SQLSTATE.undefinedTable]: 'not-migrated',
  [SQLSTATE.undefinedColumn]: 'not-migrated',
  [SQLSTATE.insufficientPrivilege]: 'no-permission',
  [SQLSTATE.tooManyConnections]: 'too-many-connections',
  [SQLSTATE.queryCanceled]: 'too-slow',
  [SQLSTATE.lockNotAvailable]: 'too-slow',
  [SQLSTATE.serializationFailure]: 'conflict',
  [SQLSTATE.deadlockDetected]: 'conflict',
  [SQLSTATE.readOnlyTransaction]: 'read-only',
};

const kindOfClasses: Readonly<Record<string, FailureKind>> = {
  '08': 'unreachable',
  '22': 'bad-value',
  '23': 'constraint',
  '28': 'credentials',
  '53': 'refused-for-now',
};

function kindOfState(state: string): FailureKind | undefined {
  // 57P: shutting down, starting, crashed beside another session.
  if (state.startsWith('57P')) return 'refused-for-now';
  return kindOfStates[state] ?? kindOfClasses[state.slice(0, 2)];
}

const socketCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE']);

/** `pg`, its pool and knex give their own failures no code; knex puts the statement and ` - ` before the words of `pg`. */
function kindOfMessage(err: unknown): FailureKind | undefined {
  if (!(err instanceof Error)) return undefined;
  if (err instanceof AggregateError && err.errors.some((one) => kindOfMessage(one) === 'unreachable')) return 'unreachable';
  if (socketCodes.has(String((err as NodeJS.ErrnoException).code))) return 'unreachable';
  if (
    /(?:^| - )(?:Connection terminated|Client has encountered a connection error|Client was closed|timeout expired|Query read timeout)/.test(
      err.message,
    )
  ) {
    return 'unreachable';
  }
  return /^(?:timeout exceeded when trying to connect|Knex: Timeout acquiring a connection)/.test(err.message) ? 'pool-timeout' : undefined;
}

/**
 * An error of connecting that is a matter of settings or of the server, said in one line that names the server and what to
 * mend: UnreachableError when nothing answers there or nobody is let in now, ConfigError when the server refuses these
 * settings or the database has not been migrated. Any other error comes back as it is.
 */
export function explainConnectionError(err: unknown, settings: PostgresSettings): unknown {
  const where = `PostgreSQL at ${settings.POSTGRES_HOST}:${settings.POSTGRES_PORT}`;
  const refused = (problem: string): ConfigError => new ConfigError([problem], { cause: err });
  const kind = failureOf(err)?.kind;
  if (kind === 'credentials') {
    return refused(`${where} refuses user ${settings.POSTGRES_USER}: check POSTGRES_USER and POSTGRES_PASSWORD`);
  }
  if (kind === 'no-database') return refused(`${where} has no database ${settings.POSTGRES_DB}: create it or set POSTGRES_DB`);
  if (kind === 'not-migrated') return refused(`database ${settings.POSTGRES_DB} lacks tables of this version: run npm run migrate -- up`);
  if (kind === 'refused-for-now' || kind === 'too-many-connections') {
    return new UnreachableError(`${where} accepts no connection now: ${messageOf(err)}`, { cause: err });
  }
  if (kind !== 'unreachable') return err;
  return new UnreachableError(`${where} cannot be reached: ${messageOf(err)}; check POSTGRES_HOST and POSTGRES_PORT`, { cause: err });
}
