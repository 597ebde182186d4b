import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { listBackups } from '#backups/set/catalogue.ts';
import type { BackupDeps } from '#backups/deps.ts';
import { takeBackup } from '#backups/take.ts';
import { verifyBackup } from '#backups/verify.ts';
import { startEmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { retry } from '#lib/retry.ts';
import { freePort } from '#test/support/free-port.ts';
import { mountTmpfs } from '#test/support/mount-tmpfs.ts';
import { missingClient, onPath, openShop, pathWith, query, setsAndLeftovers, temporaryFolder } from './shop.ts';

beforeEach(({ skip }) => skip(missingClient !== undefined, missingClient));

describe('a disk that is too small', () => {
  test('is refused before the dump', async ({ skip }) => {
    const deps = await openShop();
    await mkdir(deps.dir);
    if (!mountTmpfs(deps.dir, 'size=32m,mode=700')) skip('a small file system takes root to mount');
    await expect(takeBackup(deps)).rejects.toMatchObject({ reason: 'no-space', message: expect.stringContaining('has 32.0 MiB free') });
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });

  test('is reported as such when it fills up during the dump, and nothing is left', async ({ skip }) => {
    const deps = await openShop();
    await mkdir(deps.dir);
    if (!mountTmpfs(deps.dir, 'size=100m,mode=700')) skip('a small file system takes root to mount');
    const full = `${deps.dir}.full`;
    const fillUp = async (): Promise<void> => {
      const { bavail, bsize } = await statfs(deps.dir);
      await writeFile(join(deps.dir, 'other'), Buffer.alloc((bavail - 5) * bsize));
      await writeFile(full, '');
    };
    let filling: Promise<void> | undefined;
    // The dump begins once the disk is full, so that it is the dump that finds out.
    const path = await pathWith({
      pg_dump: `case "$1" in --version) exec $REAL --version;; esac\nwhile [ ! -e ${full} ]; do sleep 0.02; done; exec $REAL "$@"`,
    });
    const onProgress: NonNullable<BackupDeps['onProgress']> = ({ step }) => {
      if (step === 'check')
        filling = begun(async () =>
          (await readdir(deps.dir)).some((name) => name.startsWith('.part-')) ? fillUp() : Promise.reject(new Error('not begun')),
        );
    };
    await expect(onPath(path, () => takeBackup({ ...deps, onProgress }))).rejects.toThrow(/^cannot write database\.dump: ENOSPC/);
    await filling;
    expect(await setsAndLeftovers(deps)).toEqual(['other']);
  });
});

describe('a server whose disk is full while a backup is verified', () => {
  test('says nothing about the backup: it is thrown, and the state stays', { timeout: 60_000 }, async ({ skip }) => {
    const disk = join(await temporaryFolder(), 'disk');
    await mkdir(disk);
    if (!mountTmpfs(disk, 'size=250m,mode=777')) skip('a small file system takes root to mount');
    const account = { user: 'atalaya', password: 'test-password' };
    const port = await freePort();
    // As little of the log as may be, so that it is the table that finds no room.
    const settings = { fsync: 'off', wal_level: 'minimal', max_wal_senders: '0', max_wal_size: '48MB', full_page_writes: 'off' };
    const server = await startEmbeddedPostgres({ dataDir: join(disk, 'postgres'), port, ...account, settings });
    onTestFinished(server.stop);
    const postgres = {
      POSTGRES_HOST: '127.0.0.1',
      POSTGRES_PORT: port,
      POSTGRES_DB: 'postgres',
      POSTGRES_USER: account.user,
      POSTGRES_PASSWORD: account.password,
    };
    await query(postgres, `CREATE TABLE orders AS SELECT n, repeat(md5(n::text), 20) AS text FROM generate_series(1, 60000) n; CHECKPOINT`);
    const deps = { postgres, dir: join(await temporaryFolder(), 'sets'), now: () => new Date() };
    await takeBackup(deps);
    const { bavail, bsize } = await statfs(disk);
    await writeFile(join(disk, 'other'), Buffer.alloc(bavail * bsize - 30 * 1024 * 1024));
    await expect(verifyBackup(deps, 'latest')).rejects.toMatchObject({ exitCode: expect.toBeOneOf([1, 69]) });
    expect(await listBackups(deps.dir)).toMatchObject([{ state: 'written' }]);
    await rm(join(disk, 'other'));
    expect(await retry(() => verifyBackup(deps, 'latest'), { attempts: 50, firstDelayMs: 100, maxDelayMs: 200 })).toMatchObject({
      ok: true,
    });
  });

  test.each([
    [
      'half a page was written',
      'could not extend file "base/16384/16402": wrote only 4096 of 8192 bytes at block 7',
      'Check free disk space.',
    ],
    ['the log has no room', 'could not write to file "pg_wal/xlogtemp.71": No space left on device', ''],
    ['the server was stopped', 'terminating connection due to administrator command', ''],
  ])('whatever words it has for it: %s', async (_what, error, hint) => {
    const deps = await openShop();
    await takeBackup(deps);
    const failing = `case "$*" in *--dbname=*) echo 'pg_restore: error: COPY failed for table "moves": ERROR:  ${error}' >&2; echo 'HINT:  ${hint}' >&2; exit 1;; *) exec $REAL "$@";; esac`;
    const verifying = onPath(await pathWith({ pg_restore: failing }), async () => verifyBackup(deps, 'latest'));
    await expect(verifying).rejects.toMatchObject({ code: 'BACKUP_FAILED', message: expect.stringContaining(error) });
    expect(await listBackups(deps.dir)).toMatchObject([{ state: 'written' }]);
  });
});

const begun = <T>(check: () => Promise<T>): Promise<T> => retry(check, { attempts: 300, firstDelayMs: 20, maxDelayMs: 50 });
