import type { ClientConfig } from 'pg';
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

/** The SQLSTATE of an error thrown by `pg`, if it has one. */
export function sqlStateOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
