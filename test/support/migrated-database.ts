import { Client, type Pool } from 'pg';
import { test as base } from 'vitest';
import { migrateUp } from '#api/db/migrate.ts';
import { createPool } from '#api/db/pool.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { createDatabase, databaseSettings } from './database.ts';

export type MigratedDatabase = {
  readonly settings: PostgresSettings;
  /** Up to 20 connections, as one API process has. */
  readonly pool: Pool;
};

/** `test` with `db`: a migrated, empty database of this test's own, dropped when the test ends. */
export const test = base.extend<{ db: MigratedDatabase }>({
  db: async ({}, use) => {
    const database = await createMigratedDatabase();
    const pool = createPool({ ...database.settings, ...poolSettings }, 'atalaya-test');
    try {
      await use({ settings: database.settings, pool });
    } finally {
      await pool.end();
      await database.drop();
    }
  },
});

/** For tests that start programs of their own on it; the caller drops it. */
export async function createMigratedDatabase(): ReturnType<typeof createDatabase> {
  await ensureTemplate();
  return createDatabase(templateName);
}

const poolSettings = { DB_POOL_SIZE: 10, DB_MAX_OVERFLOW: 10, DB_POOL_TIMEOUT: 20, DB_POOL_RECYCLE: 0 };
const templateName = 'atalaya_template';
const templateLock = 7_283_164_002;

/** Makes the template once per run, whichever test file comes first; it gets its name only when it is whole. */
async function ensureTemplate(): Promise<void> {
  const client = new Client(clientOptions(databaseSettings('postgres'), 'atalaya-test'));
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [templateLock]);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [templateName]);
    if (rowCount !== 0) return;
    const unfinished = await createDatabase();
    await migrateUp(unfinished.settings);
    await client.query(`ALTER DATABASE ${unfinished.settings.POSTGRES_DB} RENAME TO ${templateName}`);
  } finally {
    await client.end();
  }
}
