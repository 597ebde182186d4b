import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expireBackups } from '#backups/expire.ts';
import { diskEffects } from '#backups/set/durable-files.ts';
import { withLockedFolder } from '#backups/set/folder-lock.ts';
import { writeManifest, type BackupState } from '#backups/set/manifest.ts';
import { BusyError } from '#lib/errors.ts';
import { sampleManifest } from './set/sample-manifest.ts';

const now = new Date('2026-11-24T03:00:00.000Z');
const policy = { keepDays: 7, keepMin: 1 };
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atalaya-expire-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function putSet(day: string, state: BackupState = 'verified'): Promise<string> {
  const id = `202611${day}T020000Z`;
  await mkdir(join(dir, id));
  await writeFile(join(dir, id, 'database.dump'), 'dump');
  await writeManifest(join(dir, id), sampleManifest({ id, state, takenAt: `2026-11-${day}T02:00:00.000Z` }));
  return id;
}

const sets = async (): Promise<string[]> => (await readdir(dir)).filter((name) => !name.startsWith('.lock'));
const expire = (dryRun = false) => expireBackups({ dir, now: () => now }, { ...policy, dryRun });

const rename = (from: string, to: string): Promise<void> =>
  Promise.reject(
    Object.assign(new Error(`EROFS: read-only file system, rename '${from}' -> '${to}'`), { code: 'EROFS', syscall: 'rename' }),
  );

describe('expire', () => {
  test('deletes what is past its days and says why each set stays or goes', async () => {
    const [old, recent] = [await putSet('10'), await putSet('23')];
    expect(await expire()).toEqual([
      { id: recent, action: 'keep', reason: 'newest-verified' },
      { id: old, action: 'expire', reason: 'past-keep-days' },
    ]);
    expect(await sets()).toEqual([recent]);
  });

  test('as a dry run says the same and deletes nothing', async () => {
    await putSet('10');
    await putSet('23');
    const said = await expire(true);
    expect(await sets()).toHaveLength(2);
    expect(await expire()).toEqual(said);
  });

  test('leaves alone what is no set, and sets whose manifest is damaged', async () => {
    await putSet('23');
    const names = ['notes.txt', '20261101T020000Z.bak', 'x20261101T020000Z', '20261101T020000Z'];
    for (const name of names) await mkdir(join(dir, name));
    await expire();
    expect(await readdir(dir)).toEqual(expect.arrayContaining(names));
  });

  test('clears away what killed runs have left', async () => {
    await putSet('23');
    await mkdir(join(dir, '.part-killed'));
    await mkdir(join(dir, '.expired-20261101T020000Z'));
    await expire();
    expect(await sets()).toEqual(['20261123T020000Z']);
  });

  test('is refused while another run uses the folder', async () => {
    const id = await putSet('10');
    await putSet('23');
    const refused = withLockedFolder({ dir, now: () => now }, 'take', () => expire());
    await expect(refused).rejects.toBeInstanceOf(BusyError);
    expect(await readdir(dir)).toContain(id);
  });

  test('that cannot delete a set says what it was doing, which set and why', async () => {
    const id = await putSet('10');
    await putSet('23');
    const expiring = expireBackups({ dir, now: () => now, files: { ...diskEffects, rename } }, policy);
    await expect(expiring).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
      message: expect.stringContaining(`backup expire could not be finished: EROFS: read-only file system, rename '${join(dir, id)}'`),
    });
    expect(await readdir(dir)).toContain(id);
  });
});
