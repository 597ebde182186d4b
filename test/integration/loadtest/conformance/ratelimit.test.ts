import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test as base } from 'vitest';
import type { Declared } from '#loadtest/conformance/exchange.ts';
import { freePort } from '#test/support/free-port.ts';
import { flaws } from '#test/unit/loadtest/conformance/flawed-limiters.ts';
import { exact, type Parts } from '#test/unit/loadtest/conformance/simulated-api.ts';
import { startLimitedApi } from './limited-api.ts';
import { compiledOnce } from '#test/support/clean-environment.ts';

const cli = resolve(import.meta.dirname, '../../../../loadtest/cli.ts');
const declared: Declared = { limit: 8, periodMs: 2_000, windows: 'sliding', identity: 'header:X-Client', method: 'GET', path: '/things' };
const asDeclared = ['--path', '/things', '--limit', '8', '--period', '2', '--identity', 'header:X-Client', '--obedient', '48'];

type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };
type Printed = {
  readonly verdict: string;
  readonly targets: readonly {
    readonly checks: readonly {
      readonly id: string;
      readonly outcome: string;
      readonly witnesses: readonly { readonly shown: string }[];
    }[];
  }[];
};

function start(args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [cli, 'ratelimit', ...args], {
    env: { PATH: process.env['PATH'], ...compiledOnce },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text));
  return { child, ended: new Promise((done) => child.once('close', (status) => done({ status, ...out }))) };
}

const test = base.extend<{ dir: string }>({
  dir: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), 'atalaya-ratelimit-'));
    await use(dir);
    await rm(dir, { recursive: true });
  },
});

const ratelimit = (...args: string[]): Promise<Ended> => start(args).ended;

/** Plays the suite against a server of ours, limited in that way. */
async function play(parts: Partial<Parts>, dir: string): Promise<Ended & { printed: Printed }> {
  const api = await startLimitedApi(declared, parts);
  const ended = await ratelimit('--target', api.origin, ...asDeclared, '--json', '--out', dir).finally(api.close);
  return { ...ended, printed: JSON.parse(ended.stdout) as Printed };
}

/** Whoever asks first finds their limit used up. */
const usedUpAtFirst: Parts['limiter'] = (limited) => {
  const decide = exact.limiter(limited);
  let left = limited.limit;
  return (client, nowMs) => {
    for (; left > 0; left -= 1) decide(client, nowMs);
    return decide(client, nowMs);
  };
};

describe.concurrent('npm run loadtest -- ratelimit', () => {
  test('passes a server that is limited exactly, and writes recording and reports', { timeout: 90_000 }, async ({ dir }) => {
    const { status, printed } = await play({}, dir);
    const other = printed.targets[0]?.checks.filter(({ outcome }) => outcome !== 'PASS').map(({ id, outcome }) => `${id} ${outcome}`);
    expect([status, printed.verdict, other?.filter((one) => !one.endsWith('NOT CHECKED'))]).toEqual([0, 'PASS', []]);
    expect((await readdir(dir)).toSorted()).toEqual(['junit.xml', 'ratelimit.json', 'report.html', 'report.json', 'summary.md']);
    expect(JSON.parse(await readFile(join(dir, 'report.json'), 'utf8'))).toEqual(printed);
    expect(await readFile(join(dir, 'junit.xml'), 'utf8')).toMatch(/<testsuite name="ratelimit http:[^>]* failures="0" errors="0"/);
  });

  test('waits a period for a limit that somebody has used up a moment ago', { timeout: 90_000 }, async ({ dir }) => {
    const { status, printed } = await play({ limiter: usedUpAtFirst }, dir);
    expect([status, printed.verdict]).toEqual([0, 'PASS']);
  });

  test.for(['Retry-After is rounded down', 'one more than the limit', 'fixed windows from the first request'])(
    'ends with 99 for "%s", with the requests that show it',
    { timeout: 90_000 },
    async (flaw, { dir }) => {
      const { named, parts } = flaws[flaw] ?? { named: '', parts: {} };
      const { status, printed } = await play(parts, dir);
      expect([status, printed.verdict]).toEqual([99, 'FAIL']);
      const check = printed.targets[0]?.checks.find(({ id }) => id === named);
      expect(check).toMatchObject({ outcome: 'FAIL' });
      expect(check?.witnesses[0]?.shown).toMatch(/^\d+\.\d{3} s client-\d+ GET \/things .*→ \d{3} · .*ratelimit: /);
    },
  );

  test.for([
    ['what is to be kept is not said', ['--target', 'http://127.0.0.1:1'], /^error: --limit is missing: .*--limit 100 --period 60\n$/],
    ['the host is not this machine', ['--target', 'http://api.example', ...asDeclared], /--allow-host api\.example\n$/],
    [
      'clients are told apart by nothing known',
      ['--target', 'http://127.0.0.1:1', '--limit', '5', '--period', '2', '--identity', 'cookie'],
      /ip, token or header:NAME\n$/,
    ],
    [
      'tokens are missing',
      ['--target', 'http://127.0.0.1:1', '--limit', '5', '--period', '2', '--identity', 'token'],
      /--tokens FILE is missing/,
    ],
    [
      'the folder cannot be made',
      ['--target', 'http://127.0.0.1:1', ...asDeclared, '--out', '/proc/nowhere'],
      /--out \/proc\/nowhere cannot be written/,
    ],
  ] as const)('ends with 64 and one line when %s', async ([, args, says]) => {
    const { status, stderr } = await ratelimit(...args);
    expect([status, stderr.trim().split('\n').length]).toEqual([64, 1]);
    expect(stderr).toMatch(says);
  });

  test('ends with 69 when nothing listens, and with 64 when the path is not served', async ({ dir }) => {
    const nobody = await ratelimit('--target', `http://127.0.0.1:${await freePort()}`, ...asDeclared, '--out', dir);
    expect([nobody.status, nobody.stderr]).toEqual([69, expect.stringMatching(/^error: nothing answers at http/)]);
    const api = await startLimitedApi(declared);
    const elsewhere = await ratelimit('--target', api.origin, ...asDeclared, '--path', '/elsewhere', '--out', dir).finally(api.close);
    expect([elsewhere.status, elsewhere.stderr]).toEqual([64, expect.stringContaining('answers GET /elsewhere with 404')]);
  });

  test('canceled, says so and how far it came, and ends 1', async ({ dir }) => {
    const api = await startLimitedApi(declared);
    const { child, ended } = start(['--target', api.origin, ...asDeclared, '--out', dir]);
    await api.asked;
    child.kill('SIGINT');
    expect(await ended.finally(api.close)).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^canceled at ratelimit: .*[^…]; nothing was judged\n$/) as string,
    });
  });
});
