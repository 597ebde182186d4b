import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { describe, expect, test as base } from 'vitest';
import { migrateDown, migrateTo, migrateUp, migrationStatus } from '#api/db/migrate.ts';
import { migrations, type Migration } from '#api/db/migrations/index.ts';
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

/** A migration of the test's own that makes one table. */
const table = (name: string, sql: string): Migration => ({
  name,
  isExpansion: true,
  up: async (knex) => {
    await knex.raw(sql);
  },
  down: async (knex) => {
    await knex.raw(`DROP TABLE ${name.split('_')[1]}`);
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

  test('a file that was only formatted anew changes nothing, SQL that was changed is refused', async ({ empty }) => {
    await migrateUp(empty, { migrations: [table('0001_a', 'CREATE TABLE a (id bigint, note text)')] });
    const formatted = table('0001_a', `\n  -- the first\n  CREATE TABLE a (\n  id bigint,\n  note text)\n`);
    expect(await migrateUp(empty, { migrations: [formatted] })).toEqual({ applied: [] });
    const changed = table('0001_a', 'CREATE TABLE a (id bigint, note text NOT NULL)');
    await expect(migrateUp(empty, { migrations: [changed] })).rejects.toMatchObject({
      code: 'MIGRATION_MISMATCH',
      message: expect.stringContaining('0001_a') as string,
    });
    const unrevertable = { ...changed, ...table('0001_a', 'CREATE TABLE a (id bigint, note text)'), down: async () => {} };
    await expect(migrateUp(empty, { migrations: [unrevertable] })).rejects.toMatchObject({ code: 'MIGRATION_MISMATCH' });
  });

  test('a record of the first versions, with the checksum of a file, is completed and kept for them', async ({ empty }) => {
    await migrateUp(empty);
    await run(empty, 'ALTER TABLE schema_migration_checksums DROP COLUMN sql_sha256, DROP COLUMN is_expansion');
    await run(empty, `UPDATE schema_migration_checksums SET sha256 = 'of the file of ' || name`);
    expect(await migrationStatus(empty)).toMatchObject({ current: names.at(-1), pending: [] });
    expect(await migrateUp(empty)).toEqual({ applied: [] });
    const records = await run<{ name: string; sha256: string }>(empty, 'SELECT name, sha256 FROM schema_migration_checksums ORDER BY name');
    expect(records).toEqual(names.map((name) => ({ name, sha256: `of the file of ${name}` })));
    const changed = migrations.map((migration, index) => (index === 0 ? { ...migration, up: migrations[1]!.up } : migration));
    await expect(migrateUp(empty, { migrations: changed })).rejects.toMatchObject({ code: 'MIGRATION_MISMATCH' });
  });

  test('an older version finds nothing to do on a schema that a newer one has only expanded', async ({ empty }) => {
    await migrateUp(empty, { migrations: [...migrations, table('0999_newer', 'CREATE TABLE newer ()')] });
    expect(await migrateUp(empty)).toEqual({ applied: [] });
    await expect(migrateDown(empty, 1)).rejects.toMatchObject({ code: 'MIGRATION_MISMATCH' });
    await expect(migrateTo(empty, '0001')).rejects.toMatchObject({ code: 'MIGRATION_MISMATCH' });
  });

  test('an older version refuses a schema with which it does not work, naming the migration', async ({ empty }) => {
    const breaking = { ...table('0999_newer', 'CREATE TABLE newer ()'), isExpansion: false };
    await migrateUp(empty, { migrations: [...migrations, breaking, table('1000_last', 'CREATE TABLE last ()')] });
    await expect(migrateUp(empty)).rejects.toMatchObject({
      code: 'MIGRATION_MISMATCH',
      message: expect.stringContaining('0999_newer') as string,
    });
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
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = {
      ...table('0001_slow', 'SELECT 1'),
      up: () => (begun.resolve(), gate.promise),
    };
    const first = migrateUp(empty, { migrations: [slow] });
    try {
      await begun.promise;
      await expect(migrateUp(empty, { lockWaitMs: 50 })).rejects.toMatchObject({ code: 'BUSY', exitCode: 75 });
    } finally {
      gate.resolve();
      await first;
    }
  });

  test('a role that may not install the extension for the search is told what to do, and goes on once that is done', async ({ empty }) => {
    const role = `role_${randomBytes(6).toString('hex')}`;
    await run(empty, `CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT ALL ON SCHEMA public TO ${role}`);
    const fromSearch = names.slice(names.indexOf('0006_search'));
    const poor = { ...empty, POSTGRES_USER: role, POSTGRES_PASSWORD: 'p' };
    try {
      await expect(migrateUp(poor)).rejects.toMatchObject({
        exitCode: 78,
        message: expect.stringMatching(/pg_trgm.*permission denied.*let a superuser run CREATE EXTENSION pg_trgm/) as string,
      });
      expect(await migrationStatus(poor)).toMatchObject({ pending: fromSearch });
      await run(empty, 'CREATE EXTENSION pg_trgm');
      expect(await migrateUp(poor)).toEqual({ applied: fromSearch });
    } finally {
      await run(empty, `DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
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
