import type { PostgresSettings } from '#lib/settings.ts';
import { createApiKeys } from '../auth/api-keys.ts';
import type { ApiConfig } from '../config.ts';
import { createPool } from '../db/pool.ts';

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
