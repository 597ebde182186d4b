import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { diskEffects } from '#backups/set/durable-files.ts';
import { lockFileName, withLockedFolder } from '#backups/set/folder-lock.ts';
import type { SetStore } from '#backups/set/store.ts';
import { BusyError } from '#lib/errors.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { sampleManifest } from './sample-manifest.ts';

const now = () => new Date('2026-11-24T02:00:00.000Z');
const nothing = (): Promise<string> => Promise.resolve('done');

/** Holds the folder until told to let go. */
async function hold(dir: string): Promise<{ readonly store: SetStore; readonly release: () => Promise<void> }> {
  const [taken, done] = [Promise.withResolvers<SetStore>(), Promise.withResolvers<void>()];
  const work = withLockedFolder({ dir, now }, 'take', (store) => {
    taken.resolve(store);
    return done.promise;
  });
  work.catch(taken.reject);
  const store = await taken.promise;
  const release = (): Promise<void> => {
    done.resolve();
    return work;
  };
  return { store, release };
}

async function publish(store: SetStore): Promise<string> {
  const draft = await store.draft();
  try {
    await draft.write('database.dump', Readable.from([Buffer.from('dump')]), () => {});
    const { id: _id, ...described } = sampleManifest();
    return (await draft.publish(described)).id;
  } finally {
    await draft.discard();
  }
}

describe('the folder of sets', () => {
  test('goes to exactly one of many that ask at once, and then to the next', async () => {
    const dir = await temporaryFolder();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => hold(dir)));
    const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect([held.length, refused.every((reason) => reason instanceof BusyError)]).toEqual([1, true]);
    await held[0]?.release();
    expect(await withLockedFolder({ dir, now }, 'verify', nothing)).toBe('done');
  });

  test('names its holder to whoever comes second', async () => {
    const dir = await temporaryFolder();
    const { release } = await hold(dir);
    const who = `"backup take" (process ${process.pid} on ${hostname()}, since 2026-11-24T02:00:00.000Z); try again when it has ended`;
    await expect(withLockedFolder({ dir, now }, 'verify', nothing)).rejects.toThrow(who);
    await release();
  });

  test('stays with a holder that gives no sign of life, however long its work takes', async () => {
    const dir = await temporaryFolder();
    const { release } = await hold(dir);
    const yesterday = new Date(Date.now() - 86_400_000);
    for (const name of await readdir(dir)) await utimes(join(dir, name), yesterday, yesterday);
    await expect(withLockedFolder({ dir, now }, 'take', nothing)).rejects.toBeInstanceOf(BusyError);
    await release();
  });

  test('is free at once when its holder was killed', { timeout: 30_000 }, async () => {
    const dir = await temporaryFolder();
    // What nothing refers to would be collected, and the lock with it.
    const script = `import { withLockedFolder } from '#backups/set/folder-lock.ts';
      globalThis.forever = Promise.withResolvers();
      setInterval(() => {}, 1e6);
      await withLockedFolder({ dir: ${JSON.stringify(dir)}, now: () => new Date() }, 'take', () => { console.log('held'); return forever.promise; });`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'close');
    await once(child.stdout, 'data');
    await expect(withLockedFolder({ dir, now }, 'verify', nothing)).rejects.toThrow(`(process ${child.pid} on`);
    child.kill('SIGKILL');
    await ended;
    expect(await withLockedFolder({ dir, now }, 'verify', nothing)).toBe('done');
  });

  test('is changed no more by a holder whose lock was replaced: nothing is published, deleted or marked', async () => {
    const dir = await temporaryFolder();
    const { store, release } = await hold(dir);
    const id = await publish(store);
    const [set] = (await store.read()).sets;
    await rename(join(dir, lockFileName), join(dir, 'elsewhere'));
    const lost = { code: 'LOCK_LOST' };
    await expect(publish(store)).rejects.toMatchObject(lost);
    await expect(store.remove(id)).rejects.toMatchObject(lost);
    await expect(set && store.rewrite(set, { ...set.manifest, state: 'failed' })).rejects.toMatchObject(lost);
    await rm(join(dir, 'elsewhere'));
    expect((await store.read()).sets.map(({ id: name, manifest }) => [name, manifest.state])).toEqual([[id, 'written']]);
    await release();
  });

  test('is cleared of what killed runs have left, by a command of any kind', async () => {
    const dir = await temporaryFolder();
    for (const name of ['.part-killed', '.expired-20261101T020000Z', '20261101T020000Z.bak']) await mkdir(join(dir, name));
    await withLockedFolder({ dir, now }, 'expire', nothing);
    expect(await readdir(dir)).toEqual(expect.not.arrayContaining(['.part-killed', '.expired-20261101T020000Z']));
    expect(await readdir(dir)).toContain('20261101T020000Z.bak');
  });

  test('is made where it is missing, closed to others', async () => {
    const dir = join(await temporaryFolder(), 'not', 'there');
    await withLockedFolder({ dir, now }, 'take', nothing);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  test('that cannot be made is refused, naming BACKUP_DIR', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const refused = { reason: 'directory-not-writable', exitCode: 78, message: expect.stringMatching(/check BACKUP_DIR$/) };
    await expect(withLockedFolder({ dir: join(file, 'sets'), now }, 'take', nothing)).rejects.toMatchObject(refused);
    await expect(withLockedFolder({ dir: file, now }, 'take', nothing)).rejects.toMatchObject(refused);
  });
});

test('a folder that was made is there after a loss of power, with all folders above it', async () => {
  const parent = await temporaryFolder();
  const done: string[] = [];
  const noted =
    (verb: string, effect: (path: string) => Promise<unknown>) =>
    async (path: string): Promise<void> => {
      await effect(path);
      done.push(`${verb} ${relative(parent, path) || '.'}`);
    };
  const files = { ...diskEffects, makeFolder: noted('make', diskEffects.makeFolder), syncFolder: noted('sync', diskEffects.syncFolder) };
  await withLockedFolder({ dir: join(parent, 'a', 'b'), now, files }, 'take', nothing);
  expect(done).toEqual(['make a', 'sync .', 'make a/b', 'sync a']);
});
