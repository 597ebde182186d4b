import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { takeLock, waitForLock } from '#deploy/local/exclusive-lock.mjs';

// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const lockModule = resolve('deploy/local/exclusive-lock.mjs');

/** Another process that takes the lock and keeps it until it is ended. */
async function processHolding(name: string): Promise<ReturnType<typeof spawn>> {
  const program = `
    const { takeLock } = await import(${JSON.stringify(lockModule)});
    console.log((await takeLock(${JSON.stringify(name)}, 'process ' + process.pid)).taken);
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  expect(String(line)).toBe('true\n');
  return child;
}

test('is given to one only, who is named to the others', async () => {
  const name = randomUUID();
  const attempts = await Promise.all(Array.from({ length: 20 }, (_, index) => takeLock(name, `holder ${index}`)));
  const winner = attempts.findIndex((attempt) => attempt.taken);
  const answers = attempts.map((attempt) => (attempt.taken ? 'taken' : attempt.holder));
  expect(answers).toEqual(answers.map((_, index) => (index === winner ? 'taken' : `holder ${winner}`)));
});

test('is free again after its release', async () => {
  const name = randomUUID();
  const first = await takeLock(name, 'first');
  if (first.taken) await first.release();
  await expect(takeLock(name, 'second')).resolves.toMatchObject({ taken: true });
});

test('of another name is another lock', async () => {
  await takeLock(randomUUID(), 'first');
  await expect(takeLock(randomUUID(), 'second')).resolves.toMatchObject({ taken: true });
});

test('is held against another process, and freed when that is killed', async () => {
  const name = randomUUID();
  const child = await processHolding(name);
  await expect(takeLock(name, 'me')).resolves.toEqual({ taken: false, holder: `process ${child.pid}` });
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  await expect(takeLock(name, 'me')).resolves.toMatchObject({ taken: true });
});

test('can be waited for, and who waits is told once for whom', async () => {
  const name = randomUUID();
  const first = await takeLock(name, 'the first');
  const told: string[] = [];
  const waiting = waitForLock(name, 'second', { timeoutMs: 10_000, onWait: (holder) => told.push(holder) });
  await expect.poll(() => told).toEqual(['the first']);
  if (first.taken) await first.release();
  await expect(waiting).resolves.toBeDefined();
  expect(told).toHaveLength(1);
});

test('is not waited for longer than agreed', async () => {
  const name = randomUUID();
  await takeLock(name, 'first');
  await expect(waitForLock(name, 'second', { timeoutMs: 50, onWait: () => {} })).resolves.toBeUndefined();
});
