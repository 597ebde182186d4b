import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test as base } from 'vitest';
import { startSeededServer } from '#test/compare/seeded-server.ts';
import { freePort } from '#test/support/free-port.ts';
import { compiledOnce } from '#test/support/clean-environment.ts';

type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };
type Result = {
  readonly verdict: string;
  readonly exitCode: number;
  readonly reasons: readonly string[];
  readonly turns: readonly object[];
};

const cli = resolve(import.meta.dirname, '../../../../loadtest/cli.ts');

function compare(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [cli, 'compare', ...args], {
    env: { PATH: process.env['PATH'], ...compiledOnce },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text));
  return new Promise((done) => {
    child.once('close', (status) => done({ status, ...out }));
  });
}

const test = base.extend<{ dir: string; a: string; b: string }>({
  dir: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), 'atalaya-compare-'));
    await use(dir);
    await rm(dir, { recursive: true });
  },
  a: async ({}, use) => {
    const server = await startSeededServer({ medianMs: 2, seed: 1 });
    await use(server.origin);
    await server.close();
  },
  b: async ({}, use) => {
    const server = await startSeededServer({ medianMs: 2, seed: 2, failsEvery: 20 });
    await use(server.origin);
    await server.close();
  },
});

test(
  'a B that answers one in twenty wrongly is a FAIL, in words, in JSON, as exit code and judged again from the folder',
  { timeout: 120_000 },
  async ({ a, b, dir }) => {
    const load = ['--path', '/one,/other', '--rounds', '4', '--duration', '1s', '--users', '10', '--think', '10ms-20ms', '--seed', '3'];
    const { status, stdout, stderr } = await compare('--a', a, '--b', b, ...load, '--out', dir, '--json');
    expect(stderr).toBe('');
    expect(status).toBe(99);
    const result = JSON.parse(stdout) as Result;
    expect(result).toMatchObject({ verdict: 'FAIL', exitCode: 99, seed: 3, a, b });
    expect(result.reasons).toContainEqual(
      expect.stringMatching(/^errors in all 0 of [\d,]+ → [\d,]+ of [\d,]+, more than A in 4 rounds: worse$/),
    );
    expect(result.reasons).toContainEqual(expect.stringMatching(/^errors GET \/one 0 of /));
    const windows = ['01-a', '01-b', '02-a', '02-b', '03-a', '03-b', '04-a', '04-b'];
    expect((await readdir(dir)).toSorted()).toEqual([...windows, 'compare.json', 'junit.xml', 'report.html', 'report.json', 'summary.md']);
    expect(await readFile(join(dir, 'report.html'), 'utf8')).toMatch(/<div class="badge">FAIL<\/div>/);

    expect(await readFile(join(dir, 'junit.xml'), 'utf8')).toMatch(/<failure type="errors in all" message="errors in all 0 of/);

    const again = await compare('--from', dir);
    expect(again.status).toBe(99);
    expect(again.stdout).toMatch(/^compare: A .* → B .*: 4 rounds \(seed 3\)\n[\s\S]*\nFAIL\n$/);
  },
);

test.concurrent.each([
  { args: ['--a', 'http://127.0.0.1:1'], says: /--a and --b say what is compared/ },
  { args: ['--a', '.', '--b', '.', '--out', '/proc/nope'], says: /--out \/proc\/nope cannot be written/ },
  { args: ['--from', '/nowhere'], says: /\/nowhere\/compare\.json cannot be read/ },
])('ends with 64 and one line: $args', async ({ args, says }) => {
  const { status, stderr } = await compare(...args);
  expect(stderr).toMatch(/^error: .*\n$/);
  expect(stderr).toMatch(says);
  expect(status).toBe(64);
});

test('ends with 69 when nothing listens at one of them', async ({ a, dir }) => {
  const { status, stderr } = await compare('--a', a, '--b', `http://127.0.0.1:${await freePort()}`, '--path', '/', '--out', dir);
  expect(stderr).toMatch(/^error: nothing answers at http:\/\/127\.0\.0\.1:\d+; .*\n$/);
  expect(status).toBe(69);
});

test('Ctrl-C ends it and nothing is judged', async ({ a, b, dir }) => {
  const child = spawn(process.execPath, [cli, 'compare', '--a', a, '--b', b, '--path', '/', '--out', dir], {
    env: { PATH: process.env['PATH'], ...compiledOnce },
    stdio: 'ignore',
  });
  const ended = new Promise((done) => {
    child.once('exit', done);
  });
  await expect.poll(() => readdir(dir), { timeout: 30_000 }).toContain('compare.json');
  await expect.poll(async () => (await readdir(dir)).length, { timeout: 30_000 }).toBeGreaterThan(1);
  child.kill('SIGINT');
  expect(await ended).toBe(1);
  expect(await readdir(dir)).not.toContain('report.html');
});
