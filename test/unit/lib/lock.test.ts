import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BusyError } from '#lib/errors.ts';
import { lockFolder, type FolderLock } from '#lib/lock.ts';

const now = new Date('2026-11-25T19:38:14.000Z');
const options = { name: '.lock', purpose: 'backup take', cure: 'try again when it has ended', now };

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'lock-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function lock(dir: string): FolderLock {
  const held = lockFolder(dir, options);
  onTestFinished(held.release);
  return held;
}

/** A process that takes the lock and then waits; resolves once it says that it has it. */
async function lockElsewhere(dir: string): Promise<{ readonly pid: number; readonly kill: () => Promise<unknown> }> {
  const script = `
    const { lockFolder } = await import(${JSON.stringify(resolve('lib/lock.ts'))});
    globalThis.held = lockFolder(${JSON.stringify(dir)}, { name: '.lock', purpose: 'monitor', cure: 'stop it', now: new Date(0) });
    console.log('held');
    setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return {
    pid: child.pid ?? 0,
    kill: () => {
      child.kill('SIGKILL');
      return once(child, 'exit');
    },
  };
}

describe('the lock of a folder', () => {
  test('is held by one of many who ask, and by the next once released', async () => {
    const dir = await folder();
    const outcomes = Array.from({ length: 20 }, () => {
      try {
        return lock(dir);
      } catch (err) {
        return err;
      }
    });
    expect(outcomes.filter((outcome) => outcome instanceof BusyError)).toHaveLength(19);
    (outcomes[0] as FolderLock).release();
    (outcomes[0] as FolderLock).release();
    lock(dir).assertHeld();
  });

  test('names its holder also to one who comes before the holder has written its name', async () => {
    const dir = await folder();
    lock(dir);
    await rename(join(dir, '.lock.json'), join(dir, 'aside'));
    spawn('sh', ['-c', 'sleep 0.05; mv aside .lock.json'], { cwd: dir, stdio: 'ignore' });
    expect(() => lockFolder(dir, options)).toThrow(`"backup take" (process ${process.pid} on`);
  });

  test('names its holder and the cure', async () => {
    const dir = await folder();
    lock(dir);
    expect(() => lock(dir)).toThrow(
      new RegExp(`^${dir} is in use by "backup take" \\(process ${process.pid} on .+, since 2026-11-25T19:38:14.000Z\\); try again when`),
    );
    await writeFile(join(dir, '.lock.json'), '{"pid"');
    expect(() => lock(dir)).toThrow(`${dir} is in use by another run; try again when it has ended`);
  });

  test('ends with the process that held it, killed as it may be', async () => {
    const dir = await folder();
    const other = await lockElsewhere(dir);
    expect(() => lock(dir)).toThrow(`"monitor" (process ${other.pid} on`);
    await other.kill();
    lock(dir).assertHeld();
  });

  test('survives others of its process that try, release and fail', async () => {
    const dir = await folder();
    const held = lock(dir);
    expect(() => lock(dir)).toThrow(BusyError);
    await readFile(join(dir, '.lock.json'));
    await expect(lockElsewhereFails(dir)).resolves.toContain('is in use by');
    held.assertHeld();
  });

  test('is taken over a file of anything, and leaves one file behind', async () => {
    const dir = await folder();
    await writeFile(join(dir, '.lock'), 'not a lock '.repeat(1_000));
    lock(dir).release();
    await expect(readdir(dir)).resolves.toEqual(['.lock']);
    lock(dir).assertHeld();
  });

  test.each([
    ['its folder is removed', async (dir: string) => rm(dir, { recursive: true })],
    ['its folder is moved away', async (dir: string) => rename(dir, `${dir}-aside`)],
    ['its file is replaced', async (dir: string) => rm(join(dir, '.lock')).then(() => writeFile(join(dir, '.lock'), ''))],
  ])('is known to be lost when %s', async (_, harm) => {
    const dir = await folder();
    onTestFinished(() => rm(`${dir}-aside`, { recursive: true, force: true }));
    const held = lock(dir);
    await harm(dir);
    expect(() => held.assertHeld()).toThrow(expect.objectContaining({ code: 'LOCK_LOST' }));
    // It leaves a later holder's name alone.
    const next = lock(dir);
    held.release();
    expect(() => lock(dir)).toThrow('is in use by "backup take"');
    next.assertHeld();
  });

  test('makes a missing folder for its owner only', async () => {
    const dir = join(await folder(), 'a/b');
    lock(dir);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  test('says why a folder cannot be used', async ({ skip }) => {
    skip(userInfo().uid === 0, 'root may write into any folder');
    const dir = await folder();
    await chmod(dir, 0o500);
    expect(() => lock(dir)).toThrow(/EACCES/);
  });
});

async function lockElsewhereFails(dir: string): Promise<string> {
  const script = `
    const { lockFolder } = await import(${JSON.stringify(resolve('lib/lock.ts'))});
    try { lockFolder(${JSON.stringify(dir)}, { name: '.lock', purpose: 'x', cure: 'y', now: new Date(0) }); console.log('taken'); }
    catch (err) { console.log(err.message); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  return output.toString();
}
