import type { Pool } from 'pg';
import { ConfigError, messageOf } from '#lib/errors.ts';
import { explainConnectionError } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { createApiKeys } from '../auth/api-keys.ts';
import type { ApiConfig } from '../config.ts';
import { assertSchemaFits, readApplied } from '../db/migration-record.ts';
import { migrations } from '../db/migrations/index.ts';
import { createPool } from '../db/pool.ts';
import { planConnections, type ConnectionPlan } from './connection-budget.ts';

export type SetupOutcome =
  | { readonly state: 'done'; readonly plan: ConnectionPlan }
  | { readonly state: 'unavailable'; readonly reason: string };

/**
 * What is asked of the database before, or soon after, the API starts: how many connections it gives, whether its schema is
 * one this version works with; and the keys of the settings are stored. Tries once, and may be tried again.
 * @param onKeyMade told the id of each key of the settings that was not known before
 * @returns `unavailable` when the database does not answer or is not migrated yet, which time may mend
 * @throws {ConfigError} when only other settings can mend it: wrong password, unknown database, too few connections, a schema
 *   of a newer version that does not go with this one
 */
export async function setUpDatabase(config: ApiConfig, workers: number, onKeyMade: (id: number) => void): Promise<SetupOutcome> {
  const pool = createPool({ ...config, DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 5 }, 'atalaya-api');
  try {
    const plan = planConnections({
      workers,
      poolSize: config.DB_POOL_SIZE,
      maxOverflow: config.DB_MAX_OVERFLOW,
      reserve: config.MAX_CONNECTIONS_RESERVE,
      instances: config.API_INSTANCES,
      serverMax: await readMaxConnections(pool),
    });
    const applied = await readApplied(async (sql) => (await pool.query<Record<string, unknown>>(sql)).rows);
    const [pending] = assertSchemaFits(applied, migrations);
    if (pending !== undefined) {
      return { state: 'unavailable', reason: `database ${config.POSTGRES_DB} lacks migration ${pending}: run npm run migrate -- up` };
    }
    for (const id of await storeBootstrapKeys(pool, config)) onKeyMade(id);
    return { state: 'done', plan };
  } catch (err) {
    const refusal = asRefusal(err, config);
    if (refusal) throw refusal;
    return { state: 'unavailable', reason: messageOf(err) };
  } finally {
    await pool.end().catch(() => {});
  }
}

async function readMaxConnections(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ max: string }>(`SELECT current_setting('max_connections') AS max`);
  return Number(rows[0]?.max);
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
async function storeBootstrapKeys(pool: Pool, { BOOTSTRAP_OPERATOR_KEY, BOOTSTRAP_LOADTEST_KEY }: ApiConfig): Promise<number[]> {
  const { ensure } = createApiKeys(pool);
  const made = [
    BOOTSTRAP_OPERATOR_KEY === undefined ? undefined : await ensure(BOOTSTRAP_OPERATOR_KEY, 'operator', 'bootstrap operator'),
    BOOTSTRAP_LOADTEST_KEY === undefined ? undefined : await ensure(BOOTSTRAP_LOADTEST_KEY, 'loadtest', 'bootstrap loadtest'),
  ];
  return made.filter((id) => id !== undefined);
}
