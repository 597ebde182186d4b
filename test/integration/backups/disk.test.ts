import { execFileSync } from 'node:child_process';
import { readdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { BackupDeps } from '#backups/deps.ts';
import { takeBackup } from '#backups/take.ts';
import { retry } from '#lib/retry.ts';
import { missingClient, onPath, openShop, pathWith, setsAndLeftovers } from './shop.ts';

beforeEach(({ skip }) => skip(missingClient !== undefined, missingClient));

describe('a disk that is too small', () => {
  test('is refused before the dump', async ({ skip }) => {
    const deps = await openShop();
    if (!mountTmpfs(deps.dir, '32m')) skip('a small file system takes root to mount');
    await expect(takeBackup(deps)).rejects.toMatchObject({ reason: 'no-space', message: expect.stringContaining('has 32.0 MiB free') });
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });

  test('is reported as such when it fills up during the dump, and nothing is left', async ({ skip }) => {
    const deps = await openShop();
    if (!mountTmpfs(deps.dir, '100m')) skip('a small file system takes root to mount');
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

const begun = <T>(check: () => Promise<T>): Promise<T> => retry(check, { attempts: 300, firstDelayMs: 20, maxDelayMs: 50 });

/** @returns whether it could be mounted. */
function mountTmpfs(dir: string, size: string): boolean {
  try {
    execFileSync('mkdir', ['-p', dir]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync('umount', [dir]));
  return true;
}
