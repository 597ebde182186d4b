import { access, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { listBackups } from '#backups/set/catalogue.ts';
import { readManifest } from '#backups/set/manifest.ts';
import { takeBackup } from '#backups/take.ts';
import { verifyBackup } from '#backups/verify.ts';
import { clientOptions } from '#lib/postgres.ts';
import { retry } from '#lib/retry.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { administer } from '#test/support/database.ts';
import {
  differencesOf,
  missingClient,
  onPath,
  openShop,
  pathWith,
  query,
  scratchDatabases,
  setsAndLeftovers,
  temporaryFolder,
} from './shop.ts';

beforeEach(({ skip }) => skip(missingClient !== undefined, missingClient));

/** Sells without pause until stopped; each sale is two writes in one transaction. */
function sellWithoutPause(settings: PostgresSettings): { readonly stop: () => Promise<number> } {
  const stopping = new AbortController();
  const sell = async (): Promise<number> => {
    const client = new Client(clientOptions(settings, 'atalaya-test'));
    await client.connect();
    let sales = 0;
    for (; !stopping.signal.aborted; sales += 1) {
      const id = 1 + (sales % 2000);
      await client.query(`BEGIN; UPDATE products SET stock = stock - 1 WHERE id = ${id}; INSERT INTO moves VALUES (${id}, -1); COMMIT`);
    }
    await client.end();
    return sales;
  };
  const sellers = Promise.all([sell(), sell()]);
  return {
    stop: async () => {
      stopping.abort();
      return (await sellers).reduce((sum, sales) => sum + sales, 0);
    },
  };
}

describe('a backup taken while orders are written', () => {
  test('restores to exactly what its snapshot held, though the live database has moved on', async () => {
    const deps = await openShop();
    const sellers = sellWithoutPause(deps.postgres);
    const taken = await takeBackup(deps);
    await sleep(50);
    expect(await sellers.stop()).toBeGreaterThan(0);
    expect(await verifyBackup(deps, 'latest')).toMatchObject({ id: taken.id, ok: true, reasons: [] });
    const { fingerprint } = await readManifest(taken.path);
    expect(await differencesOf(deps.postgres, fingerprint)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^public\.(moves|products): /)]),
    );
    expect(await scratchDatabases(deps)).toEqual([]);
  });

  test('waits for a TRUNCATE under way', async () => {
    const deps = await openShop();
    const client = new Client(clientOptions(deps.postgres, 'atalaya-test'));
    await client.connect();
    await client.query('BEGIN; TRUNCATE moves');
    const taking = takeBackup(deps);
    await sleep(300);
    await client.query('COMMIT');
    await client.end();
    const { path } = await taking;
    expect((await readManifest(path)).fingerprint.tables['public.moves']).toEqual({ rows: 0, hash: '0' });
    expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: true });
  });

  test('begins again when a TRUNCATE comes between its snapshot and pg_dump, rather than hold half of it', async () => {
    const deps = await openShop();
    // Read first, and long enough for the TRUNCATE to come before `moves` is read.
    await query(deps.postgres, 'CREATE TABLE archive.a_long_read AS SELECT n, md5(n::text) FROM generate_series(1, 200000) n');
    const begun = join(await temporaryFolder(), 'begun');
    const path = await pathWith({ pg_dump: `case "$1" in --version) ;; *) touch ${begun}; sleep 0.3;; esac; exec $REAL "$@"` });
    const taking = onPath(path, () => takeBackup(deps));
    await retry(() => access(begun), { attempts: 500, firstDelayMs: 5, maxDelayMs: 10 });
    await query(deps.postgres, 'BEGIN; TRUNCATE moves; UPDATE products SET stock = 0; COMMIT');
    const taken = await taking;
    expect(await differencesOf(deps.postgres, (await readManifest(taken.path)).fingerprint)).toEqual([]);
    expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: true });
  });
});

describe('a backup', () => {
  test('is listed as written, then as verified with the time its restore took', async () => {
    const deps = await openShop();
    const taken = await takeBackup(deps);
    expect(await listBackups(deps.dir)).toMatchObject([{ id: taken.id, state: 'written', sizeBytes: taken.sizeBytes, kind: 'regular' }]);
    await verifyBackup(deps, taken.id);
    expect(await listBackups(deps.dir)).toMatchObject([{ id: taken.id, state: 'verified', restoreMs: expect.any(Number), reasons: [] }]);
  });

  test('can be read by its owner only, and nothing else is left in the folder', async () => {
    const deps = await openShop();
    const { path, id } = await takeBackup(deps);
    expect(await setsAndLeftovers(deps)).toEqual([id]);
    expect((await readdir(path)).toSorted()).toEqual(['database.dump', 'globals.sql', 'manifest.json']);
    const modes = await Promise.all(
      [deps.dir, path, join(path, 'database.dump'), join(path, 'globals.sql'), join(path, 'manifest.json')].map(modeOf),
    );
    expect(modes).toEqual(['700', '700', '600', '600', '600']);
  });

  test('compares equal whatever the time zone and formats of database and role are at either time', async () => {
    const deps = await openShop();
    const database = deps.postgres.POSTGRES_DB;
    await administer(`ALTER DATABASE ${database} SET timezone = 'Europe/Madrid'; ALTER DATABASE ${database} SET datestyle = 'SQL, DMY';
      ALTER DATABASE ${database} SET bytea_output = 'escape'; ALTER DATABASE ${database} SET extra_float_digits = -5;
      ALTER DATABASE ${database} SET search_path = archive`);
    const { path } = await takeBackup(deps);
    await administer(`ALTER DATABASE ${database} RESET ALL`);
    expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: true });
    expect(await differencesOf(deps.postgres, (await readManifest(path)).fingerprint)).toEqual([]);
  });

  test('of an empty database is taken and verified too', async () => {
    const deps = await openShop();
    await query(deps.postgres, 'DROP SCHEMA public, archive CASCADE; CREATE SCHEMA public');
    await takeBackup(deps);
    expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: true });
  });

  test('taken in the same second as another gets a name of its own', async () => {
    const deps = await openShop();
    const fixed = { ...deps, now: () => new Date('2026-11-24T02:00:00.500Z') };
    const ids = [(await takeBackup(fixed)).id, (await takeBackup(fixed)).id];
    expect(ids).toEqual(['20261124T020000Z', '20261124T020001Z']);
  });
});

describe('secrets', () => {
  test('stand in no argument list', async () => {
    const deps = await openShop();
    const log = join(deps.dir, '..', 'arguments');
    const spy = `echo "$0 $@" >> ${log}; exec $REAL "$@"`;
    await onPath(await pathWith({ pg_dump: spy, pg_dumpall: spy, pg_restore: spy }), async () => {
      await takeBackup(deps);
      await verifyBackup(deps, 'latest');
    });
    const seen = await readFile(log, 'utf8');
    expect(seen).toMatch(/pg_dump .*--snapshot=[\s\S]*pg_dumpall[\s\S]*pg_restore/);
    expect(seen).not.toContain(deps.postgres.POSTGRES_PASSWORD);
  });

  test('of roles are dumped by a superuser, into a file of mode 0600, and by no one else', async () => {
    const deps = await openShop();
    const asOwner = await withRole(deps, 'CREATEDB');
    const globals = async (given: typeof deps): Promise<string> => readFile(join((await takeBackup(given)).path, 'globals.sql'), 'utf8');
    expect(await globals(deps)).toMatch(/SCRAM-SHA-256/);
    const limited = await globals(asOwner);
    expect(limited).toContain(`CREATE ROLE ${asOwner.postgres.POSTGRES_USER}`);
    expect(limited).not.toMatch(/SCRAM-SHA-256|PASSWORD '/);
    expect(await verifyBackup(asOwner, 'latest')).toMatchObject({ ok: true });
  });
});

describe('a role', () => {
  test('that may not create databases is told so by verify, and the set stays as it was', async () => {
    const deps = await withRole(await openShop(), 'NOCREATEDB');
    await takeBackup(deps);
    await expect(verifyBackup(deps, 'latest')).rejects.toMatchObject({ reason: 'may-not-create-databases' });
    expect(await listBackups(deps.dir)).toMatchObject([{ state: 'written' }]);
  });

  test('that cannot read a table, or not all of its rows, is refused before the dump', async () => {
    const shop = await openShop();
    const deps = await withRole(shop, 'NOCREATEDB');
    await query(shop.postgres, 'ALTER TABLE moves ENABLE ROW LEVEL SECURITY');
    await expect(takeBackup(deps)).rejects.toMatchObject({
      reason: 'table-not-readable',
      message: expect.stringContaining('public.moves'),
    });
    await query(shop.postgres, `ALTER TABLE moves DISABLE ROW LEVEL SECURITY; CREATE TABLE hidden (); REVOKE ALL ON hidden FROM PUBLIC`);
    await expect(takeBackup(deps)).resolves.toBeDefined();
    await query(shop.postgres, `REVOKE pg_read_all_data FROM ${deps.postgres.POSTGRES_USER}`);
    await expect(takeBackup(deps)).rejects.toMatchObject({ reason: 'table-not-readable' });
  });
});

test('a role that may not give objects to others proves owners and grants by what the dump holds of them, and says so', async () => {
  const shop = await openShop();
  const deps = await withRole(shop, 'CREATEDB');
  await query(shop.postgres, `GRANT INSERT ON moves TO ${deps.postgres.POSTGRES_USER}`);
  await takeBackup(deps);
  const notices = [
    expect.stringMatching(/^owners, grants and settings of roles were left out of the restore; that the dump holds them was checked$/),
  ];
  expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: true, notices });
  const { id } = await onPath(
    await pathWith({ pg_dump: 'case "$1" in --version) exec $REAL "$@";; esac; exec $REAL --no-privileges "$@"' }),
    () => takeBackup(deps),
  );
  expect(await verifyBackup(deps, id)).toMatchObject({ ok: false, reasons: ['grants on table public.moves are not in the dump'] });
  expect((await verifyBackup(shop, id)).reasons).toEqual([expect.stringMatching(/^grants on table public\.moves differs/)]);
});

/** The same shop seen by a role that reads everything and owns nothing. */
async function withRole(deps: Awaited<ReturnType<typeof openShop>>, attributes: string): Promise<typeof deps> {
  const role = `${deps.postgres.POSTGRES_DB}_role`;
  await administer(`CREATE ROLE ${role} LOGIN PASSWORD 'role-password' ${attributes}; GRANT pg_read_all_data TO ${role}`);
  return { ...deps, postgres: { ...deps.postgres, POSTGRES_USER: role, POSTGRES_PASSWORD: 'role-password' } };
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}
