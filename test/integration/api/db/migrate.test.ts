import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { describe, expect, test as base } from 'vitest';
import { migrateDown, migrateTo, migrateUp, migrationStatus } from '#api/db/migrate.ts';
import { migrations } from '#api/db/migrations/index.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { createDatabase } from '#test/support/database.ts';
import { freePort } from '#test/support/free-port.ts';

const test = base.extend<{ empty: PostgresSettings }>({
  empty: async ({}, use) => {
    const database = await createDatabase();
    await use(database.settings);
    await database.drop();
  },
});

const names = migrations.map(({ name }) => name);

describe('migrating', () => {
  test('up applies every migration once, in order', async ({ empty }) => {
    expect(await migrateUp(empty)).toEqual({ applied: names });
    expect(await migrateUp(empty)).toEqual({ applied: [] });
    expect(await migrationStatus(empty)).toMatchObject({ current: names.at(-1), pending: [] });
  });

  test('the status of an empty database names everything as pending and creates nothing', async ({ empty }) => {
    expect(await migrationStatus(empty)).toEqual({ current: undefined, applied: [], pending: names });
    expect(await tables(empty)).toEqual([]);
  });

  test('down takes back the newest ones, and up brings the same schema again', async ({ empty }) => {
    await migrateUp(empty);
    const before = await schemaOf(empty);
    expect(await migrateDown(empty, 2)).toEqual({ reverted: names.slice(-2).toReversed() });
    expect(await migrateUp(empty)).toEqual({ applied: names.slice(-2) });
    expect(await schemaOf(empty)).toEqual(before);
  });

  test('down past the first leaves no table of ours but the bookkeeping', async ({ empty }) => {
    await migrateUp(empty);
    await migrateDown(empty, 100);
    expect((await tables(empty)).filter((name) => !name.startsWith('schema_'))).toEqual([]);
    expect(await migrateUp(empty)).toEqual({ applied: names });
  });

  test('to goes either way, by number or by name', async ({ empty }) => {
    expect(await migrateTo(empty, '0002')).toEqual({ applied: names.slice(0, 2), reverted: [] });
    expect(await migrateTo(empty, names[2] ?? '')).toEqual({ applied: [names[2]], reverted: [] });
    expect(await migrateTo(empty, '0001')).toEqual({ applied: [], reverted: [names[2], names[1]] });
    expect(await migrateTo(empty, 'none')).toEqual({ applied: [], reverted: [names[0]] });
  });

  test('to a version that does not exist is a usage error that lists the known ones', async ({ empty }) => {
    await expect(migrateTo(empty, '0999')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('0001_clients') as string,
    });
  });

  test('a migration edited after it was applied stops the next run', async ({ empty }) => {
    await migrateTo(empty, '0001');
    await run(empty, `UPDATE schema_migration_checksums SET sha256 = 'of another file'`);
    await expect(migrateUp(empty)).rejects.toMatchObject({
      code: 'MIGRATION_MISMATCH',
      message: expect.stringContaining('0001_clients') as string,
    });
    expect((await migrationStatus(empty)).pending).toEqual(names.slice(1));
  });

  test('an older version of the code refuses a newer database', async ({ empty }) => {
    await migrateUp(empty);
    await expect(migrateUp(empty, { migrations: migrations.slice(0, 2) })).rejects.toMatchObject({ code: 'MIGRATION_MISMATCH' });
  });

  test('a migration that fails halfway leaves no trace and the ones before it in place', async ({ empty }) => {
    const first = migrations.slice(0, 1);
    const broken = {
      ...migrations[1]!,
      up: async (...args: Parameters<(typeof migrations)[0]['up']>) => {
        await migrations[1]?.up(...args);
        await args[0].raw('SELECT 1 / 0');
      },
    };
    await expect(migrateUp(empty, { migrations: [...first, broken] })).rejects.toThrow('division by zero');
    expect(await migrationStatus(empty)).toMatchObject({ current: names[0] });
    expect(await tables(empty)).not.toContain('products');
    expect(await migrateUp(empty)).toEqual({ applied: names.slice(1) });
  });

  test('of two migrators at once, each migration is applied by exactly one', async ({ empty }) => {
    const outcomes = await Promise.all([migrateUp(empty), migrateUp(empty), migrateUp(empty)]);
    expect(outcomes.flatMap(({ applied }) => applied).toSorted()).toEqual(names);
  });

  test('a migrator that waits too long for another says so and exits with the code for busy', async ({ empty }) => {
    const holder = new Client(clientOptions(empty, 'atalaya-test'));
    await holder.connect();
    try {
      const source = await readFile('api/db/migrate-step.ts', 'utf8');
      const lock = /advisoryLock = ([\d_]+)/.exec(source)?.[1]?.replaceAll('_', '');
      await holder.query('SELECT pg_advisory_lock($1)', [lock]);
      await expect(migrateUp(empty, { lockWaitMs: 50 })).rejects.toMatchObject({ code: 'BUSY', exitCode: 75 });
    } finally {
      await holder.end();
    }
  });

  test('a server that is not there, a wrong password and a missing database are each named', async ({ empty }) => {
    const unused = await freePort();
    await expect(migrateUp({ ...empty, POSTGRES_PORT: unused })).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE', exitCode: 69 });
    await expect(migrateUp({ ...empty, POSTGRES_PASSWORD: 'wrong' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(migrateUp({ ...empty, POSTGRES_DB: 'missing' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

async function run<T extends object>(settings: PostgresSettings, sql: string): Promise<T[]> {
  const client = new Client(clientOptions(settings, 'atalaya-test'));
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function tables(settings: PostgresSettings): Promise<string[]> {
  const rows = await run<{ name: string }>(settings, `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`);
  return rows.map(({ name }) => name);
}

async function schemaOf(settings: PostgresSettings): Promise<object[]> {
  return run(
    settings,
    `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
     WHERE table_schema = 'public' UNION ALL
     SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint WHERE connamespace = 'public'::regnamespace
     ORDER BY 1, 2, 3`,
  );
}
