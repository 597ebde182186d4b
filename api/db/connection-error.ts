import { ConfigError, UnreachableError, messageOf } from '#lib/errors.ts';
import { SQLSTATE, sqlStateOf } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';

/**
 * An error of the database that is a matter of settings, said in one line that names the server and what to mend:
 * UnreachableError when nothing answers there, ConfigError when the server refuses these settings or the database has not
 * been migrated. Any other error comes back as it is.
 */
export function explainConnectionError(err: unknown, settings: PostgresSettings): unknown {
  const where = `PostgreSQL at ${settings.POSTGRES_HOST}:${settings.POSTGRES_PORT}`;
  const state = sqlStateOf(err);
  if (state === SQLSTATE.invalidPassword || state === SQLSTATE.invalidAuthorization) {
    return new ConfigError([`${where} refuses user ${settings.POSTGRES_USER}: check POSTGRES_USER and POSTGRES_PASSWORD`], { cause: err });
  }
  if (state === SQLSTATE.databaseDoesNotExist) {
    return new ConfigError([`${where} has no database ${settings.POSTGRES_DB}: create it or set POSTGRES_DB`], { cause: err });
  }
  if (state === SQLSTATE.undefinedTable) {
    return new ConfigError([`database ${settings.POSTGRES_DB} lacks tables of this version: run npm run migrate -- up`], { cause: err });
  }
  if (state !== undefined && refusedForNow.has(state)) {
    return new UnreachableError(`${where} accepts no connection now: ${messageOf(err)}`, { cause: err });
  }
  return isNetworkError(err) ? new UnreachableError(`${where} cannot be reached: ${messageOf(err)}`, { cause: err }) : err;
}

const refusedForNow = new Set<string>([SQLSTATE.cannotConnectNow, SQLSTATE.tooManyConnections, SQLSTATE.adminShutdown]);
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPIPE']);

function isNetworkError(err: unknown): boolean {
  const first = err instanceof AggregateError ? (err.errors[0] as unknown) : err;
  const code = (first as { code?: unknown } | null)?.code;
  // `pg` gives its own connection failures no code.
  return (typeof code === 'string' && networkCodes.has(code)) || /^(timeout expired|Connection terminated)/.test(messageOf(err));
}
