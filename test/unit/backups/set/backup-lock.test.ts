import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockDirectory, lockFileName } from '#backups/set/folder-lock.ts';
import { BusyError } from '#lib/errors.ts';

const now = new Date('2026-11-24T02:00:00.000Z');
let dir: string;
let lockPath: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atalaya-lock-'));
  lockPath = join(dir, lockFileName);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const leave = (holder: Record<string, unknown>): Promise<void> =>
  writeFile(lockPath, JSON.stringify({ token: 'theirs', processStart: '', verb: 'backup take', since: now.toISOString(), ...holder }));

/** The number of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid ?? 0;
}

describe('the lock of a backup folder', () => {
  test('goes to exactly one of many that ask at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockDirectory(dir, 'backup take', now)));
    const held = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(held).toHaveLength(1);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused.every((reason) => reason instanceof BusyError)).toBe(true);
    await held[0]?.value.release();
    expect(await readdir(dir)).toEqual([]);
  });

  test('names its holder to whoever comes second', async () => {
    const lock = await lockDirectory(dir, 'backup take', now);
    const who = `"backup take" (process ${process.pid} on ${hostname()}, since 2026-11-24T02:00:00.000Z)`;
    await expect(lockDirectory(dir, 'backup verify', now)).rejects.toThrow(who);
    await lock.release();
  });

  test('of a process that was killed is taken over at once', async () => {
    await leave({ pid: await deadPid(), host: hostname() });
    const lock = await lockDirectory(dir, 'backup take', now);
    await lock.assertHeld();
    await lock.release();
    expect(await readdir(dir)).toEqual([]);
  });

  test('of a killed process goes to one of many that find it', async () => {
    await leave({ pid: await deadPid(), host: hostname() });
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => lockDirectory(dir, 'backup take', now)));
    const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const assertions = await Promise.allSettled(held.map((lock) => lock.assertHeld()));
    expect(assertions.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await Promise.all(held.map((lock) => lock.release()));
  });

  test.runIf(process.platform === 'linux')('of a dead process whose number another program has now is taken over', async () => {
    await leave({ pid: process.pid, host: hostname(), processStart: '1' });
    const lock = await lockDirectory(dir, 'backup take', now);
    await expect(lock.assertHeld()).resolves.toBeUndefined();
    await lock.release();
  });

  test('of another host stands while it shows signs of life, and no longer', async () => {
    await leave({ pid: 1, host: 'elsewhere' });
    await expect(lockDirectory(dir, 'backup take', now)).rejects.toThrow('on elsewhere');
    const elevenMinutesAgo = new Date(Date.now() - 11 * 60_000);
    await utimes(lockPath, elevenMinutesAgo, elevenMinutesAgo);
    await (await lockDirectory(dir, 'backup take', now)).release();
  });

  test('that was taken over is noticed by its first holder, who leaves it alone', async () => {
    const lock = await lockDirectory(dir, 'backup take', now);
    await leave({ pid: 1, host: 'elsewhere' });
    await expect(lock.assertHeld()).rejects.toThrow('taken over');
    await lock.release();
    expect(await readFile(lockPath, 'utf8')).toContain('elsewhere');
  });

  test('whose text is not whole counts as held', async () => {
    await writeFile(lockPath, '{"pid":');
    await expect(lockDirectory(dir, 'backup take', now)).rejects.toThrow(BusyError);
  });
});
