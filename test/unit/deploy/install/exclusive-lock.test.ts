import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';

// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

type Lock = { readonly release: () => Promise<void> };
type Options = { readonly timeoutMs: number; readonly onWait: (holder: string) => void; readonly signal?: AbortSignal };

const lockModule = resolve('deploy/local/install/exclusive-lock.mjs');
const { waitForLock } = (await import(lockModule)) as {
  waitForLock: (name: string, holder: string, options: Options) => Promise<Lock | undefined>;
};

const inTime = { timeoutMs: 10_000, onWait: () => {} };
const atOnce = { timeoutMs: -1, onWait: () => {} };

test('is given to one of those who ask', async () => {
  const name = randomUUID();
  const attempts = await Promise.all(Array.from({ length: 20 }, (_, index) => waitForLock(name, `holder ${index}`, atOnce)));
  expect(attempts.filter((lock) => lock !== undefined)).toHaveLength(1);
});

test('is free again after its release; of another name it is another lock', async () => {
  const name = randomUUID();
  const first = await waitForLock(name, 'first', atOnce);
  await expect(waitForLock(randomUUID(), 'other', atOnce)).resolves.toBeDefined();
  await expect(waitForLock(name, 'second', atOnce)).resolves.toBeUndefined();
  await first?.release();
  await expect(waitForLock(name, 'second', atOnce)).resolves.toBeDefined();
});

test('is held against another process, and freed when that is killed', async () => {
  const name = randomUUID();
  const program = `
    const { waitForLock } = await import(${JSON.stringify(lockModule)});
    await waitForLock(${JSON.stringify(name)}, 'process ' + process.pid, { timeoutMs: 0, onWait: () => {} });
    console.log('held');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const told: string[] = [];
  const waiting = waitForLock(name, 'me', { ...inTime, onWait: (holder) => told.push(holder) });
  await expect.poll(() => told).toEqual([`process ${child.pid}`]);
  child.kill('SIGKILL');
  await expect(waiting).resolves.toBeDefined();
  expect(told).toHaveLength(1);
});

test('is not waited for once the wait is called off', async () => {
  const name = randomUUID();
  await waitForLock(name, 'first', atOnce);
  const stop = new AbortController();
  const waiting = waitForLock(name, 'second', { timeoutMs: 60_000, onWait: () => stop.abort(), signal: stop.signal });
  await expect(waiting).resolves.toBeUndefined();
});
