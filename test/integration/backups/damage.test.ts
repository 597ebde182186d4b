import { open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { listBackups } from '#backups/set/catalogue.ts';
import { readManifest, writeManifest, type Manifest } from '#backups/set/manifest.ts';
import { takeBackup } from '#backups/take.ts';
import { verifyBackup } from '#backups/verify.ts';
import { missingClient, openShop, query, scratchDatabases, scratchPrefix } from './shop.ts';

beforeEach(({ skip }) => skip(missingClient !== undefined, missingClient));

/** Changes one byte in place; called again with the same arguments it undoes that. */
async function flip(path: string, position: number, difference: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ difference;
    await file.write(byte, 0, 1, position);
  } finally {
    await file.close();
  }
}

describe('one changed byte', () => {
  test.each(['database.dump', 'globals.sql', 'manifest.json'])('anywhere in %s is found, and the file named', async (name) => {
    const deps = await openShop();
    const { path, id } = await takeBackup(deps);
    const file = join(path, name);
    const { size } = await stat(file);
    const position = fc.oneof(fc.constantFrom(0, size - 1), fc.integer({ min: 0, max: size - 1 }));
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 1, max: 255 }), async (at, difference) => {
        await flip(file, at, difference);
        const { ok, reasons } = await verifyBackup(deps, 'latest');
        await flip(file, at, difference);
        return !ok && reasons.length === 1 && reasons[0]?.startsWith(`${name}: `) === true;
      }),
      { numRuns: 40 },
    );
    // Whole again, it is proved again, whatever was found before.
    expect(await verifyBackup(deps, id)).toMatchObject({ ok: true });
  });
});

describe('a damaged backup', () => {
  test('is marked failed with the reason, and found by every further verify', async () => {
    const deps = await openShop();
    const { path } = await takeBackup(deps);
    await verifyBackup(deps, 'latest');
    await truncate(join(path, 'database.dump'), 1000);
    const expected = [expect.stringMatching(/^database\.dump: 1000 bytes, \d+ were written$/)];
    expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: false, reasons: expected });
    expect(await listBackups(deps.dir)).toMatchObject([{ state: 'failed', reasons: expected }]);
    await rm(join(path, 'globals.sql'));
    expect((await verifyBackup(deps, 'latest')).reasons).toEqual([...expected, 'globals.sql: missing']);
  });

  test('cut short before its checksum was made, as by a program that hides its failure, does not read to its end', async () => {
    const deps = await openShop();
    const { path } = await takeBackup(deps);
    const dump = join(path, 'database.dump');
    await truncate(dump, Math.floor((await stat(dump)).size * 0.6));
    await believe(path, await readFile(dump));
    expect((await verifyBackup(deps, 'latest')).reasons).toEqual([expect.stringMatching(/^database\.dump: cannot be read to its end: /)]);
  });

  test('that lacks rows or holds others is found by comparing, and the table named', async () => {
    const deps = await openShop();
    const { path } = await takeBackup(deps);
    const manifest = await readManifest(path);
    const { tables } = manifest.fingerprint;
    const moves = tables['public.moves'] ?? { rows: 0, hash: '0' };
    const changed = { ...tables, 'public.moves': { ...moves, rows: moves.rows + 1 }, 'archive.products': { rows: 0, hash: '7' } };
    await writeManifest(path, { ...manifest, fingerprint: { ...manifest.fingerprint, tables: changed } });
    expect((await verifyBackup(deps, 'latest')).reasons.toSorted()).toEqual([
      'archive.products: the restored content differs (0 rows)',
      'public.moves: 4000 rows restored, 4001 expected',
    ]);
    expect(await scratchDatabases(deps)).toEqual([]);
  });

  test('whose content cannot be loaded is found by restoring', async () => {
    const deps = await openShop();
    // Valid when made, and no longer: the constraint's function now refuses what is there.
    await query(
      deps.postgres,
      `CREATE FUNCTION fine(n int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
       CREATE TABLE picky (n int CHECK (fine(n))); INSERT INTO picky VALUES (1);
       CREATE OR REPLACE FUNCTION fine(n int) RETURNS boolean LANGUAGE sql AS 'SELECT false'`,
    );
    await takeBackup(deps);
    const { ok, reasons } = await verifyBackup(deps, 'latest');
    expect([ok, ...reasons]).toEqual([false, expect.stringMatching(/^database\.dump: cannot be restored: .*picky/)]);
    expect(await scratchDatabases(deps)).toEqual([]);
  });
});

describe('a fault that is not the backup’s own', () => {
  test('is thrown and leaves its state: a server that does not answer', async () => {
    const deps = await openShop();
    await takeBackup(deps);
    const elsewhere = { ...deps, postgres: { ...deps.postgres, POSTGRES_PORT: 1 } };
    await expect(verifyBackup(elsewhere, 'latest')).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' });
    expect(await listBackups(deps.dir)).toMatchObject([{ state: 'written' }]);
  });

  test('is thrown and leaves its state: a server older than the dump', async () => {
    const deps = await openShop();
    const { path } = await takeBackup(deps);
    await writeManifest(path, { ...(await readManifest(path)), server: { version: '99.1', major: 99 } });
    await expect(verifyBackup(deps, 'latest')).rejects.toMatchObject({ reason: 'server-too-old' });
    expect(await listBackups(deps.dir)).toMatchObject([{ state: 'written' }]);
  });
});

test('verify works by way of the postgres database where the one that was backed up is gone', async () => {
  const deps = await openShop();
  const { id } = await takeBackup(deps);
  const gone = { ...deps, postgres: { ...deps.postgres, POSTGRES_DB: 'no_such_database' } };
  expect(await verifyBackup(gone, id)).toMatchObject({ ok: true });
});

test('scratch databases that killed runs have left are dropped by the next verify', async () => {
  const deps = await openShop();
  await takeBackup(deps);
  const left = `${scratchPrefix(deps)}_0badcafe`;
  await query(deps.postgres, `CREATE DATABASE ${left} TEMPLATE template0`);
  await verifyBackup(deps, 'latest');
  expect(await scratchDatabases(deps)).not.toContain(left);
});

/** Makes the manifest agree with a dump as it is now. */
async function believe(path: string, dump: Buffer): Promise<void> {
  const manifest = await readManifest(path);
  const stored = { sizeBytes: dump.length, sha256: createHash('sha256').update(dump).digest('hex') };
  const files: Manifest['files'] = { ...manifest.files, 'database.dump': stored };
  await writeFile(join(path, 'database.dump'), dump);
  await writeManifest(path, { ...manifest, files });
}
