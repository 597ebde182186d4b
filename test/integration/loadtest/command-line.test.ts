// One shop and one command line for all of what its users may type; so it is long.

import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test as base } from 'vitest';
import { reportSchema } from '#loadtest/report/report-schema.ts';
import { freePort } from '#test/support/free-port.ts';
import { startFakeApi, type FakeApi } from './fake-api.ts';
import { cli, key, loadtest } from './run-cli.ts';
import { compiledOnce } from '#test/support/clean-environment.ts';

type Result = {
  readonly reasons: readonly string[];
  readonly checks: readonly {
    readonly id: string;
    readonly outcome: string;
    readonly measured: string;
    readonly witnesses?: readonly object[];
  }[];
};

const test = base.extend<{ shop: FakeApi; dir: string }>({
  shop: async ({}, use) => {
    const shop = await startFakeApi();
    await use(shop);
    await shop.close();
  },
  dir: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), 'atalaya-report-'));
    await use(dir);
    await rm(dir, { recursive: true });
  },
});

/** Eight programs that start at once on a busy machine; a plan takes longer. */
const quicklyMs = 25_000;

test.concurrent('ends with 69 and one line, quickly, when nothing listens at the target', async () => {
  const startedMs = performance.now();
  const { status, stderr } = await loadtest(['users', '--target', `http://127.0.0.1:${await freePort()}`], key);
  expect(status).toBe(69);
  expect(stderr).toMatch(/^error: nothing answers at http:\/\/127\.0\.0\.1:\d+; .*\n$/);
  expect(performance.now() - startedMs).toBeLessThan(quicklyMs);
});

test.concurrent('ends with 64 for a host that is not this machine, and sends nothing there', async () => {
  const { status, stderr } = await loadtest(['--target', 'http://shop.example']);
  expect(status).toBe(64);
  expect(stderr).toMatch(/^error: .*--allow-host shop\.example\n$/);
});

test.concurrent('ends with 64 for a plan there is not', async () => {
  expect(await loadtest(['everything'])).toMatchObject({
    status: 64,
    stderr: expect.stringMatching(/^error: there is no plan "everything"/) as string,
  });
});

test.concurrent('ends with 64 for a rate where the plan finds it itself', async () => {
  const { status, stderr } = await loadtest(['capacity', '--rate', '50']);
  expect({ status, stderr }).toEqual({ status: 64, stderr: 'error: --rate: capacity finds the rates itself\n' });
});

test.concurrent('ends with 78 without a key for the target, saying how to make one', async ({ shop }) => {
  const { status, stderr } = await loadtest(['smoke', '--target', shop.origin]);
  expect(status).toBe(78);
  expect(stderr).toMatch(/^error: LOADTEST_KEY is not set; make one with: npm run api-key.*\n$/);
});

test.concurrent('--help names every plan, every option and every exit code', async () => {
  const { status, stdout } = await loadtest(['--help']);
  expect(status).toBe(0);
  for (const word of [
    'smoke',
    'users',
    '--target',
    '--allow-host',
    '--duration',
    '--users',
    '--think',
    '--seed',
    '--out',
    '--json',
    '--mix',
    '99',
    '75',
    '69',
  ]) {
    expect(stdout).toContain(word);
  }
});

test('tests a given service: verdict as exit code, result as JSON, four files, and no secret in any of them', async ({ shop, dir }) => {
  const args = ['smoke', '--target', shop.origin, '--duration', '1s', '--users', '5', '--seed', '9', '--out', dir, '--json'];
  const { status, stdout, stderr } = await loadtest(args, key);
  expect(stderr).toBe('');
  const result = JSON.parse(stdout) as { verdict: string; exitCode: number; seed: number; phases: { load: { users: number } }[] };
  expect(reportSchema.parse(JSON.parse(stdout))).toEqual(JSON.parse(stdout));
  // A machine busy with other tests may make the run INVALID; it must say so in every place alike.
  expect(status).toBe(result.exitCode);
  expect(status).toBe({ PASS: 0, FAIL: 99, INVALID: 75 }[result.verdict]);
  expect(result).toMatchObject({ seed: 9, phases: [{ load: { users: 5 } }] });
  expect((await readdir(dir)).toSorted()).toEqual(['junit.xml', 'measurement.jsonl', 'report.html', 'report.json', 'summary.md']);
  for (const file of await readdir(dir)) {
    const text = await readFile(join(dir, file), 'utf8');
    expect(text).toContain(file === 'measurement.jsonl' ? '"version":2' : result.verdict);
    expect(text).not.toMatch(/token-\d|a-key-of-a-load-test/);
  }
});

test('Ctrl-C ends it, with the accounts it had made gone and nothing judged', async ({ shop, dir }) => {
  const child = spawn(process.execPath, [cli, 'users', '--target', shop.origin, '--users', '10', '--out', dir], {
    env: { PATH: process.env['PATH'], ...compiledOnce, ...key },
    stdio: 'ignore',
  });
  const ended = new Promise((done) => {
    child.once('exit', (status) => done(status));
  });
  await expect.poll(() => shop.requests.length, { timeout: 25_000 }).toBeGreaterThan(3);
  expect(shop.accounts()).toBe(10);
  child.kill('SIGINT');
  expect(await ended).toBe(1);
  expect(shop.accounts()).toBe(0);
  expect(await readdir(dir)).toEqual(['measurement.jsonl']);
});

test.concurrent('the help of a plan names its options too', async () => {
  const { status, stdout } = await loadtest(['users', '--help']);
  expect(status).toBe(0);
  for (const word of ['--target', '--duration', '--mix slow-query', '99']) expect(stdout).toContain(word);
});

test.concurrent('a folder that cannot be made ends it with 64 and one line, before anything is started', async ({ shop }) => {
  const startedMs = performance.now();
  const { status, stderr } = await loadtest(['smoke', '--target', shop.origin, '--out', '/proc/nope'], key);
  expect(status).toBe(64);
  expect(stderr).toMatch(/^error: --out \/proc\/nope cannot be written: .*\n$/);
  expect(shop.connections()).toBe(0);
  expect(performance.now() - startedMs).toBeLessThan(quicklyMs);
});

test.concurrent.each(['pool', 'size-pool'])('%s says so too, and tells what a number may be', async (plan) => {
  const made = await loadtest([plan, '--out', '/proc/nope']);
  expect(made).toMatchObject({ status: 64, stderr: expect.stringMatching(/^error: --out \/proc\/nope cannot be written: .*\n$/) });
  const flag = plan === 'pool' ? '--requests' : '--users';
  const told = await loadtest([plan, flag, '1e3']);
  expect(told).toMatchObject({
    status: 64,
    stderr: expect.stringMatching(new RegExp(`^error: ${flag} 1e3 must be a whole number from \\d+ to \\d+\\n$`)),
  });
});

test.concurrent('SIGTERM ends it while the target hangs in set-up', async ({ dir }) => {
  const shop = await startFakeApi(undefined, () => ({ instead: 'hang' }));
  const child = spawn(process.execPath, [cli, 'smoke', '--target', shop.origin, '--out', dir], {
    env: { PATH: process.env['PATH'], ...compiledOnce, ...key },
    stdio: 'ignore',
  });
  const ended = new Promise((done) => child.once('exit', (status) => done(status)));
  await expect.poll(() => shop.connections(), { timeout: 25_000 }).toBeGreaterThan(1);
  child.kill('SIGTERM');
  expect(await ended).toBe(1);
  await shop.close();
});

test.skipIf(process.platform !== 'linux')('ends with the npm that started it, killed or not', async ({ shop, dir }) => {
  const args = ['run', '--silent', 'loadtest', '--', 'users', '--target', shop.origin, '--users', '10', '--out', dir];
  const npm = spawn('npm', args, {
    env: { PATH: process.env['PATH'], ...compiledOnce, HOME: dir, ...key },
    cwd: resolve(cli, '../..'),
    stdio: 'ignore',
  });
  await expect.poll(() => shop.requests.length, { timeout: 25_000 }).toBeGreaterThan(3);
  npm.kill('SIGKILL');
  // Orderly: with the accounts it had made gone.
  await expect.poll(() => shop.accounts(), { timeout: 15_000 }).toBe(0);
});

test.concurrent('errors while the run is prepared are asked again, and told', async ({ dir }) => {
  const shop = await startFakeApi(undefined, (n) => (n === 1 ? { status: 500, body: '{"code":"internal"}' } : {}));
  const args = ['smoke', '--target', shop.origin, '--duration', '1s', '--users', '5', '--out', dir, '--json'];
  const { stdout } = await loadtest(args, key);
  const { checks } = JSON.parse(stdout) as Result;
  expect(checks.find(({ id }) => id === 'set-up')).toMatchObject({
    outcome: 'met',
    measured: expect.stringMatching(/^1 of \d+ requests failed/) as string,
  });
  await shop.close();
});

test.concurrent('a target that stays broken while it is prepared is a FAIL with a report and a witness', async ({ dir }) => {
  const headers = { 'x-request-id': 'r-broken' };
  const shop = await startFakeApi(undefined, (_n, { method }) =>
    method === 'POST' ? { status: 500, body: '{"code":"internal"}', headers } : {},
  );
  const { status, stdout } = await loadtest(['smoke', '--target', shop.origin, '--users', '2', '--out', dir, '--json'], key);
  expect(status).toBe(99);
  const { checks, reasons } = JSON.parse(stdout) as Result;
  expect(reasons.join()).toMatch(/the run could not be prepared: .* 500 internal/);
  expect(checks.find(({ id }) => id === 'set-up')?.witnesses?.[0]).toMatchObject({ status: 500, requestId: 'r-broken' });
  expect((await readdir(dir)).toSorted()).toEqual(['junit.xml', 'measurement.jsonl', 'report.html', 'report.json', 'summary.md']);
  await shop.close();
});

test.concurrent('a key of another role ends it with 78, another kind of server with 69', async ({ dir }) => {
  const forOperators = await startFakeApi(undefined, (_n, { method }) => (method === 'POST' ? { status: 201, body: '{"id_key":1}' } : {}));
  const wrongKey = await loadtest(['smoke', '--target', forOperators.origin, '--out', dir], key);
  expect(wrongKey).toMatchObject({ status: 78, stderr: expect.stringMatching(/^error: LOADTEST_KEY is not of role loadtest/) as string });
  await forOperators.close();
  const noShop = await startFakeApi(undefined, () => ({ status: 404, body: '<h1>Welcome to nginx</h1>' }));
  const notOurs = await loadtest(['smoke', '--target', noShop.origin, '--out', dir], key);
  expect(notOurs).toMatchObject({ status: 69, stderr: expect.stringMatching(/is no shop of this project/) as string });
  await noShop.close();
});

test('a run is judged again from its file, with the same verdict and the same reports; it says what it leaves behind, and gives back what it took', async ({
  shop,
  dir,
}) => {
  const run = await loadtest(['smoke', '--target', shop.origin, '--duration', '1s', '--users', '5', '--out', dir], key);
  const [beforehand, ...said] = run.stdout.split('\n');
  expect(beforehand).toContain(
    `in ${shop.origin}: accounts of name "Load" are made there and deleted in the end; their orders stay, canceled`,
  );
  expect(run.stdout).toMatch(/left in the target: [1-9]\d* canceled orders of buyers who are deleted$/m);
  expect([shop.accounts(), shop.sold()]).toEqual([0, 0]);
  const before = await Promise.all(['junit.xml', 'report.json', 'summary.md'].map((file) => readFile(join(dir, file), 'utf8')));
  const again = await loadtest(['report', '--from', dir]);
  expect(again).toMatchObject({ status: run.status, stdout: said.join('\n'), stderr: '' });
  expect(await Promise.all(['junit.xml', 'report.json', 'summary.md'].map((file) => readFile(join(dir, file), 'utf8')))).toEqual(before);
  const beside = await loadtest(['report', '--from', dir, '--baseline', dir]);
  expect(beside).toMatchObject({ status: run.status, stdout: expect.stringMatching(/all requests .*±0 %/) as string });
});

test.concurrent('a baseline that is none ends it before anything is started', async ({ shop, dir }) => {
  const run = await loadtest(['smoke', '--target', shop.origin, '--baseline', dir, '--out', dir], key);
  expect(run).toMatchObject({ status: 64, stderr: `error: --baseline ${dir}: there is no report.json of the plan "smoke"\n` });
  expect(shop.requests).toEqual([]);
});

test.concurrent('a folder without a run cannot be judged', async ({ dir }) => {
  expect(await loadtest(['report', '--from', dir])).toMatchObject({
    status: 64,
    stderr: `error: ${dir} holds no run: there is none of measurement.jsonl, gate.json, compare.json, pool.json, ratelimit.json, size-pool.json\n`,
  });
});

test('release against a given service plays its plans, and tells everywhere what is not played there', async ({ shop, dir }) => {
  const args = ['--target', shop.origin, '--duration', '1s', '--users', '5', '--seed', '9', '--out', dir];
  const run = await loadtest(args, key);
  expect(run.stdout).toMatch(/^release: smoke \w+ · users \w+$/m);
  for (const name of ['pool', 'ratelimit'])
    expect(run.stdout).toMatch(new RegExp(`^note: ${name} not played: .* not played on a given target$`, 'm'));
  const gate = JSON.parse(await readFile(join(dir, 'report.json'), 'utf8')) as { exitCode: number; notPlayed: { name: string }[] };
  expect(gate).toMatchObject({ gate: 'release', exitCode: run.status, notPlayed: [{ name: 'pool' }, { name: 'ratelimit' }] });
  expect(await readFile(join(dir, 'junit.xml'), 'utf8')).toMatch(/<testsuite name="loadtest release" [^>]* tests="4" .*skipped="2"/);
  expect((await readdir(dir)).toSorted()).toEqual(['gate.json', 'junit.xml', 'report.html', 'report.json', 'smoke', 'summary.md', 'users']);
  const again = await loadtest(['report', '--from', dir, '--json', '--baseline', dir]);
  expect(again.status).toBe(run.status);
  const { runs } = JSON.parse(again.stdout) as { runs: { report: { baseline: object | null } }[] };
  expect(runs.map(({ report }) => report.baseline)).toEqual([expect.any(Object), expect.any(Object)]);
});
