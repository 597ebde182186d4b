import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compiledOnce } from '#test/support/clean-environment.ts';

type Check = { readonly id: string; readonly kind: string; readonly outcome: string };
type Result = {
  readonly verdict: string;
  readonly limitedBy: string | null;
  readonly checks: readonly Check[];
  readonly reasons: readonly string[];
};

const cli = resolve(import.meta.dirname, '../../loadtest/cli.ts');
let dir = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atalaya-system-loadtest-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Runs a load test with a stack of its own, whose folder is made inside `dir`. */
async function loadtest(args: readonly string[], env: Record<string, string>): Promise<{ status: number | null; result: Result }> {
  const out = join(dir, 'report');
  const child = spawn(process.execPath, [cli, ...args, '--out', out], {
    env: { PATH: process.env['PATH'], TMPDIR: dir, ...compiledOnce, ...env },
    stdio: 'ignore',
  });
  const status = await new Promise<number | null>((done) => {
    child.once('exit', done);
  });
  return { status, result: JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as Result };
}

const brokenOf = ({ checks }: Result, kind: string): string[] =>
  checks.filter((check) => check.kind === kind && check.outcome === 'broken').map(({ id }) => id);

test('on a healthy stack of its own the books agree, to the last request and order, and nothing is left behind', async () => {
  const { status, result } = await loadtest(['smoke', '--duration', '2s'], { DB_POOL_SIZE: '12' });
  expect(brokenOf(result, 'invariant')).toEqual([]);
  expect(result.checks.filter(({ outcome, kind }) => outcome === 'not-checked' && kind === 'invariant')).toEqual([]);
  for (const known of ['server-count', 'settings-effective']) expect(result.checks.find(({ id }) => id === known)?.outcome).toBe('met');
  // A machine too busy to measure says so; a healthy stack is never found guilty.
  expect([0, 75]).toContain(status);
  expect(await readdir(dir)).toEqual(['report']);
});

test('a pool of one connection with slow queries mixed in fails, and the pool is named', async () => {
  const load = ['users', '--mix', 'slow-query', '--users', '300', '--think', '500ms-1s', '--duration', '6s'];
  const { status, result } = await loadtest(load, { DB_POOL_SIZE: '1', DB_MAX_OVERFLOW: '0' });
  expect(result.reasons.join()).toMatch(/p95 is \d/);
  expect(result.limitedBy).toMatch(/pool connections? w(?:ere|as) in use in \d+ of \d+ seconds: raise DB_POOL_SIZE/);
  expect(brokenOf(result, 'invariant')).toEqual([]);
  expect(status).toBe(99);
});
