import { createHash } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { BackupDeps } from '#backups/deps.ts';
import { withSession } from '#backups/postgres/connection.ts';
import { describeDatabase } from '#backups/postgres/properties.ts';
import { listBackups } from '#backups/set/catalogue.ts';
import { readManifest, writeManifest } from '#backups/set/manifest.ts';
import { restoreBackup } from '#backups/restore.ts';
import { takeBackup } from '#backups/take.ts';
import { verifyBackup } from '#backups/verify.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { administer, createDatabase } from '#test/support/database.ts';
import { differencesOf, missingClient, onPath, openShop, pathWith, query, scratchDatabases } from './shop.ts';

beforeEach(({ skip }) => skip(missingClient !== undefined, missingClient));

/** The name of a database that does not exist; what a test makes of it goes when the test ends. */
function newName(deps: BackupDeps): PostgresSettings {
  const name = `${deps.postgres.POSTGRES_DB}_copy`;
  onTestFinished(() => dropAllLike(deps, name));
  return { ...deps.postgres, POSTGRES_DB: name };
}

async function dropAllLike(deps: BackupDeps, name: string): Promise<void> {
  const maintenance = { ...deps.postgres, POSTGRES_DB: 'postgres' };
  const rows = await query<{ datname: string }>(maintenance, `SELECT datname FROM pg_database WHERE starts_with(datname, '${name}')`);
  for (const { datname } of rows) await administer(`DROP DATABASE "${datname}" WITH (FORCE)`);
}

/** The database a restore has kept; it goes when the test ends. */
function keptOf(deps: BackupDeps, { keptAs = '' }: { readonly keptAs?: string }): PostgresSettings {
  onTestFinished(() => administer(`DROP DATABASE IF EXISTS "${keptAs}"`));
  return { ...deps.postgres, POSTGRES_DB: keptAs };
}

async function emptyTarget(): Promise<PostgresSettings> {
  const target = await createDatabase();
  onTestFinished(target.drop);
  return target.settings;
}

describe('a restore', () => {
  test('into a name that is free makes that database with the content of the snapshot', async () => {
    const deps = await openShop();
    const { path, id } = await takeBackup(deps);
    const target = newName(deps);
    const restored = await restoreBackup(deps, { which: 'latest', target: target.POSTGRES_DB });
    expect(restored).toMatchObject({ id, target: target.POSTGRES_DB, notices: [] });
    expect(await differencesOf(target, (await readManifest(path)).fingerprint)).toEqual([]);
    expect(await query(target, 'SELECT count FROM totals')).toEqual([{ count: '2000' }]);
    expect(await scratchDatabases(deps)).toEqual([]);
  });

  test('leaves a database whose queries are planned with statistics', async () => {
    const deps = await openShop();
    await takeBackup(deps);
    const target = newName(deps);
    await restoreBackup(deps, { which: 'latest', target: target.POSTGRES_DB });
    const analysed = await query(target, `SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public' ORDER BY 1`);
    expect(analysed.map(({ tablename }) => tablename)).toEqual(['Odd "Name', 'logs', 'logs_2026', 'moves', 'products', 'totals']);
  });

  test('of latest says that all there are have failed, and why, when they have', async () => {
    const deps = await openShop();
    const { path, id } = await takeBackup(deps);
    await writeManifest(path, {
      ...(await readManifest(path)),
      state: 'failed',
      verification: { at: deps.now().toISOString(), durationMs: 1, reasons: ['public.moves: 3 rows restored, 4000 expected'] },
    });
    const target = newName(deps).POSTGRES_DB;
    await expect(restoreBackup(deps, { which: 'latest', target })).rejects.toThrow(
      `every backup of database "${deps.postgres.POSTGRES_DB}" failed verification, the newest (${id}) by: public.moves: 3 rows restored, 4000 expected; take another`,
    );
    expect(await restoreBackup(deps, { which: id, target })).toMatchObject({ id });
  });

  test('into an empty database replaces it and keeps no copy', async () => {
    const deps = await openShop();
    await takeBackup(deps);
    const target = await emptyTarget();
    const restored = await restoreBackup(deps, { which: 'latest', target: target.POSTGRES_DB });
    expect(restored.keptAs).toBeUndefined();
    expect(await query(target, 'SELECT count(*)::int AS n FROM products')).toEqual([{ n: 2000 }]);
  });

  test('over a database that is not empty is refused, and nothing is done to it', async () => {
    const deps = await openShop();
    await takeBackup(deps);
    await query(deps.postgres, 'DELETE FROM moves');
    const restoring = restoreBackup(deps, { which: 'latest', target: deps.postgres.POSTGRES_DB });
    await expect(restoring).rejects.toMatchObject({ reason: 'target-not-empty', exitCode: 1 });
    expect(await query(deps.postgres, 'SELECT count(*)::int AS n FROM moves')).toEqual([{ n: 0 }]);
    expect(await listBackups(deps.dir)).toHaveLength(1);
  });

  test('with force takes a safety backup, ends the sessions there, and keeps what it replaced', async () => {
    const deps = await openShop();
    const { id } = await takeBackup(deps);
    await query(deps.postgres, 'DELETE FROM moves');
    const name = deps.postgres.POSTGRES_DB;
    const idle = new Client(clientOptions(deps.postgres, 'shop-api'));
    idle.on('error', () => {});
    await idle.connect();

    const restored = await restoreBackup(deps, { which: 'latest', target: name, force: true });
    const old = keptOf(deps, restored);

    expect(restored).toMatchObject({ id, notices: [] });
    expect(await query(deps.postgres, 'SELECT count(*)::int AS n FROM moves')).toEqual([{ n: 4000 }]);
    expect(await query(old, 'SELECT count(*)::int AS n FROM moves')).toEqual([{ n: 0 }]);
    expect(await verifyBackup(deps, restored.safetyBackupId ?? '')).toMatchObject({ ok: true });
    await expect(idle.query('SELECT 1')).rejects.toThrow('connection');
  });

  test('with swap alone takes the place of a database that nobody uses, and is refused by one that is in use', async () => {
    const deps = await openShop();
    await takeBackup(deps);
    await query(deps.postgres, 'DELETE FROM moves');
    const swap = { which: 'latest', target: deps.postgres.POSTGRES_DB, swap: true };
    const client = new Client(clientOptions(deps.postgres, 'shop-api'));
    await client.connect();
    await expect(restoreBackup(deps, swap)).rejects.toMatchObject({
      reason: 'target-in-use',
      message: expect.stringContaining('shop-api'),
    });
    expect((await client.query('SELECT count(*)::int AS n FROM moves')).rows).toEqual([{ n: 0 }]);
    await client.end();
    keptOf(deps, await restoreBackup(deps, swap));
    expect(await query(deps.postgres, 'SELECT count(*)::int AS n FROM moves')).toEqual([{ n: 4000 }]);
  });

  test('brings back owner, grants, settings and limits of the database as the snapshot had them, and names what is newer', async () => {
    const deps = await openShop();
    const name = deps.postgres.POSTGRES_DB;
    const role = `${name}_app`;
    await administer(
      `CREATE ROLE ${role}; ALTER DATABASE ${name} SET work_mem = '7MB'; ALTER DATABASE ${name} SET search_path = public, archive;
       ALTER ROLE ${role} IN DATABASE ${name} SET statement_timeout = '7s'; REVOKE ALL ON DATABASE ${name} FROM PUBLIC;
       GRANT CONNECT ON DATABASE ${name} TO ${role}; ALTER DATABASE ${name} OWNER TO ${role}; ALTER DATABASE ${name} CONNECTION LIMIT 42;
       COMMENT ON DATABASE ${name} IS 'the shop''s'`,
    );
    const described = (database: string) =>
      withSession({ ...deps.postgres, POSTGRES_DB: 'postgres' }, undefined, ({ client }) => describeDatabase(client, database));
    const before = await described(name);
    await takeBackup(deps);
    await administer(
      `ALTER DATABASE ${name} RESET ALL; ALTER ROLE ${role} IN DATABASE ${name} RESET ALL; GRANT CONNECT ON DATABASE ${name} TO PUBLIC;
       ALTER DATABASE ${name} OWNER TO ${deps.postgres.POSTGRES_USER}; ALTER DATABASE ${name} CONNECTION LIMIT -1; ALTER DATABASE ${name} SET geqo = off`,
    );
    const restored = await restoreBackup(deps, { which: 'latest', target: name, force: true });
    keptOf(deps, restored);
    expect(await described(name)).toEqual(before);
    expect(restored.notices).toEqual([`setting geqo = off of "${restored.keptAs}" is not in the backup; set it again if it is wanted`]);
    const beside = newName(deps).POSTGRES_DB;
    await restoreBackup(deps, { which: 'latest', target: beside });
    expect(await described(beside)).toEqual(before);
  });

  test('of latest after a forced one means the same set again, not the safety backup', async () => {
    const deps = await openShop();
    const { id } = await takeBackup(deps);
    const name = deps.postgres.POSTGRES_DB;
    const first = await restoreBackup(deps, { which: 'latest', target: name, force: true });
    keptOf(deps, first);
    expect((await listBackups(deps.dir)).map(({ kind }) => kind)).toEqual(['safety', 'regular']);
    expect(await restoreBackup(deps, { which: 'latest', target: newName(deps).POSTGRES_DB })).toMatchObject({ id });
  });

  test('into an empty database that someone is connected to is refused', async () => {
    const deps = await openShop();
    await takeBackup(deps);
    const target = await emptyTarget();
    const client = new Client(clientOptions(target, 'shop-api'));
    await client.connect();
    const restoring = restoreBackup(deps, { which: 'latest', target: target.POSTGRES_DB });
    await expect(restoring).rejects.toMatchObject({ reason: 'target-in-use', message: expect.stringContaining('shop-api') });
    expect(await client.query('SELECT 1')).toBeDefined();
    await client.end();
  });
});

describe('a restore that cannot be right is refused', () => {
  test('when a file is damaged, naming it', async () => {
    const deps = await openShop();
    const { path } = await takeBackup(deps);
    await truncate(join(path, 'database.dump'), 100);
    const restoring = restoreBackup(deps, { which: 'latest', target: newName(deps).POSTGRES_DB });
    await expect(restoring).rejects.toMatchObject({ reason: 'set-damaged', message: expect.stringContaining('database.dump: 100 bytes') });
  });

  test('when the server is older than the set, before a safety backup is taken', async () => {
    const deps = await openShop();
    const { path } = await takeBackup(deps);
    await writeManifest(path, { ...(await readManifest(path)), server: { version: '99.1', major: 99 } });
    const restoring = restoreBackup(deps, { which: 'latest', target: deps.postgres.POSTGRES_DB, force: true });
    await expect(restoring).rejects.toMatchObject({ reason: 'server-too-old' });
    expect(await listBackups(deps.dir)).toHaveLength(1);
  });

  test('when the content differs from the manifest, and the name stays free', async () => {
    const deps = await openShop();
    const { path } = await takeBackup(deps);
    const manifest = await readManifest(path);
    await writeManifest(path, { ...manifest, fingerprint: { ...manifest.fingerprint, tables: {} } });
    const target = newName(deps);
    await expect(restoreBackup(deps, { which: 'latest', target: target.POSTGRES_DB })).rejects.toThrow('nothing was put in place');
    await expect(query(target, 'SELECT')).rejects.toThrow('does not exist');
    expect(await scratchDatabases(deps)).toEqual([]);
  });

  test('when roles of the dump are missing, unless owners are left out', async () => {
    const deps = await openShop();
    const role = `${deps.postgres.POSTGRES_DB}_owner`;
    const setting = `${deps.postgres.POSTGRES_DB}_reports`;
    await administer(
      `CREATE ROLE ${role}; CREATE ROLE ${setting}; ALTER ROLE ${setting} IN DATABASE ${deps.postgres.POSTGRES_DB} SET work_mem = '7MB'`,
    );
    await query(deps.postgres, `ALTER TABLE moves OWNER TO ${role}`);
    await takeBackup(deps);
    await query(deps.postgres, `REASSIGN OWNED BY ${role} TO ${deps.postgres.POSTGRES_USER}`);
    await administer(`DROP ROLE ${role}; DROP ROLE ${setting}`);
    const target = newName(deps).POSTGRES_DB;
    const restoring = restoreBackup(deps, { which: 'latest', target });
    await expect(restoring).rejects.toMatchObject({
      reason: 'roles-missing',
      message: expect.stringContaining(`no role ${role}, ${setting};`),
    });
    expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: true });
    expect(await restoreBackup(deps, { which: 'latest', target, noOwner: true })).toMatchObject({ target });
  });
});

test('a set of version 1 is verified and restored, saying what could not be compared', async () => {
  const deps = await openShop();
  const { path, id } = await takeBackup(deps);
  const { fingerprint, properties: _properties, ...rest } = await readManifest(path);
  const { schema: _schema, ...content } = fingerprint;
  const before = { formatVersion: 1, ...rest, fingerprint: content };
  const checksum = createHash('sha256').update(JSON.stringify(before)).digest('hex');
  await writeFile(join(path, 'manifest.json'), `${JSON.stringify({ ...before, checksum }, null, 2)}\n`);
  const notices = [`backup ${id} is of an older release and holds no schema to compare; rows and sequences were`];
  expect(await verifyBackup(deps, id)).toMatchObject({ ok: true, notices });
  expect(await restoreBackup(deps, { which: id, target: newName(deps).POSTGRES_DB })).toMatchObject({ id, notices });
  // What the set does not say of its database is kept from the one it replaces.
  const name = deps.postgres.POSTGRES_DB;
  await administer(`ALTER DATABASE ${name} SET work_mem = '7MB'`);
  keptOf(deps, await restoreBackup(deps, { which: id, target: name, swap: true }));
  expect(await query(deps.postgres, 'SHOW work_mem')).toEqual([{ work_mem: '7MB' }]);
});

describe('a pg_restore of version 17 before a server of version 15', () => {
  /** Begins as version 17 does, with a setting that this server refuses. */
  const seventeen = `case "$*" in
    --version) echo "pg_restore (PostgreSQL) 17.6"; exit;;
    *--dbname=*) echo 'pg_restore: error: could not execute query: unrecognized configuration parameter "transaction_timeout"' >&2; exit 1;;
    *) $REAL "$@" | sed '0,/^SET lock_timeout/s//SET transaction_timeout = 0;\\nSET lock_timeout/';; esac`;

  test('restores and verifies all the same', async () => {
    const deps = await openShop();
    await takeBackup(deps);
    await onPath(await pathWith({ pg_restore: seventeen }), async () => {
      expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: true, reasons: [] });
      const target = newName(deps).POSTGRES_DB;
      expect(await restoreBackup(deps, { which: 'latest', target })).toMatchObject({ target });
    });
  });

  test('stops at the first error of the SQL and reports that', async () => {
    const deps = await openShop();
    await query(
      deps.postgres,
      `CREATE FUNCTION fine(n int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
       CREATE TABLE picky (n int CHECK (fine(n))); INSERT INTO picky VALUES (1);
       CREATE OR REPLACE FUNCTION fine(n int) RETURNS boolean LANGUAGE sql AS 'SELECT false'`,
    );
    await takeBackup(deps);
    const { ok, reasons } = await onPath(await pathWith({ pg_restore: seventeen }), () => verifyBackup(deps, 'latest'));
    expect([ok, ...reasons]).toEqual([false, expect.stringMatching(/^database\.dump: cannot be restored: ERROR: .*picky/)]);
  });
});
