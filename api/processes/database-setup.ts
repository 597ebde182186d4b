import { Client } from 'pg';
import { ConfigError, messageOf } from '#lib/errors.ts';
import { clientOptions, explainConnectionError } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { createApiKeys } from '../auth/api-keys.ts';
import type { ApiConfig } from '../config.ts';
import { createPool } from '../db/pool.ts';

/** What is asked of the database before, or soon after, the API starts. */
export type DatabaseSetup = {
  readonly postgres: PostgresSettings;
  /** Judges the server's max_connections. @throws {ConfigError} when the pools do not fit */
  readonly judgeMaxConnections: (serverMax: number) => void;
  /** Stores what must be in the database from the start; may be called again. */
  readonly prepare: () => Promise<void>;
};

export type SetupOutcome =
  | { readonly state: 'done'; readonly serverMax: number }
  | { readonly state: 'unavailable'; readonly reason: string };

/**
 * Tries once.
 * @returns `unavailable` when the database does not answer or is not migrated yet, which time may mend
 * @throws {ConfigError} when only other settings can mend it: wrong password, unknown database, too many connections
 */
export async function setUpDatabase({ postgres, judgeMaxConnections, prepare }: DatabaseSetup): Promise<SetupOutcome> {
  try {
    const serverMax = await readMaxConnections(postgres);
    judgeMaxConnections(serverMax);
    await prepare();
    return { state: 'done', serverMax };
  } catch (err) {
    const refusal = asRefusal(err, postgres);
    if (refusal) throw refusal;
    return { state: 'unavailable', reason: messageOf(err) };
  }
}

async function readMaxConnections(postgres: PostgresSettings): Promise<number> {
  const client = new Client(clientOptions(postgres, 'atalaya-api'));
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ max: string }>(`SELECT current_setting('max_connections') AS max`);
    return Number(rows[0]?.max);
  } finally {
    await client.end().catch(() => {});
  }
}

/** What only other settings can mend; undefined for everything else. */
function asRefusal(err: unknown, postgres: PostgresSettings): ConfigError | undefined {
  const explained = explainConnectionError(err, postgres);
  if (explained instanceof ConfigError) return explained;
  // `pg` itself refuses to log in without a password, before the server can.
  const hasNoPassword = /^SASL: .*password/.test(messageOf(err));
  return hasNoPassword ? new ConfigError(['POSTGRES_PASSWORD is not set, and PostgreSQL demands a password'], { cause: err }) : undefined;
}

/** Makes the keys named in the settings known to the database, so that a new installation can be used at once. */
export async function storeBootstrapKeys(config: ApiConfig & PostgresSettings): Promise<void> {
  const { BOOTSTRAP_OPERATOR_KEY: operatorKey, BOOTSTRAP_LOADTEST_KEY: loadtestKey } = config;
  if (operatorKey === undefined && loadtestKey === undefined) return;
  const pool = createPool({ ...config, DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 5 }, 'atalaya-api');
  try {
    const apiKeys = createApiKeys(pool);
    if (operatorKey !== undefined) await apiKeys.ensure(operatorKey, 'operator', 'bootstrap operator');
    if (loadtestKey !== undefined) await apiKeys.ensure(loadtestKey, 'loadtest', 'bootstrap loadtest');
  } finally {
    await pool.end();
  }
}
