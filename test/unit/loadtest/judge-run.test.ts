import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Declared } from '#loadtest/conformance/exchange.ts';
import { playSuite as playLimiter } from '#loadtest/conformance/suite.ts';
import { judgeRun } from '#loadtest/judge-run.ts';
import { makeOutFolder, writeRun } from '#loadtest/measurement/run-folder.ts';
import type { Settings } from '#loadtest/pool/recording.ts';
import { playSuite } from '#loadtest/pool/suite.ts';
import { exact, simulate } from './conformance/simulated-api.ts';
import { simulatePool, type Flaw } from './pool/simulated-pool.ts';

const startedAt = '2026-01-01T00:00:00.000Z';
const settings: Settings = { workers: 2, size: 2, overflow: 2, timeoutMs: 2_000, recycleMs: 20_000, idleMs: 10_000 };

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-judge-run-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

async function recordPool(dir: string, flaw?: Flaw): Promise<void> {
  const { port, time } = simulatePool(settings, flaw);
  makeOutFolder(dir);
  writeRun(dir, 'pool', { startedAt, recording: await time.run(playSuite({ settings, port, leakRequests: 16 })) });
}

test.each([
  [undefined, 'PASS'],
  ['no Retry-After', 'FAIL'],
] as const)('a run of pool (%s) is judged from its folder: %s', async (flaw, verdict) => {
  const dir = await folder();
  await recordPool(dir, flaw);
  const run = await judgeRun(dir, undefined);
  expect(run).toMatchObject({ name: 'pool', verdict, startedAt });
  expect(run.sentence).toMatch(
    verdict === 'PASS' ? /^The service passed: \d+ PASS, 1 NOT CHECKED\.$/ : /did not pass: P6 acquire-timeout: /,
  );
});

test('a run of ratelimit is judged from its folder', async () => {
  const dir = await folder();
  const declared: Declared = {
    limit: 10,
    periodMs: 2_000,
    windows: 'sliding',
    identity: 'header:X-Client',
    method: 'GET',
    path: '/things',
  };
  const { port, time, means } = simulate(exact, declared, 1);
  writeRun(dir, 'ratelimit', {
    startedAt,
    targets: [{ target: 'a limiter', recordings: [await time.run(playLimiter({ declared, means, port }))] }],
  });
  expect(await judgeRun(dir, undefined)).toMatchObject({ name: 'ratelimit', verdict: 'PASS' });
});

test('a run of size-pool is judged from its folder: here it needs more windows than were played', async () => {
  const dir = await folder();
  const question = { sizes: [1, 2, 4], configured: { size: 10, overflow: 10 }, seed: 1 };
  writeRun(dir, 'size-pool', { startedAt, question, users: 8, workers: 1, played: [] });
  await expect(judgeRun(dir, undefined)).rejects.toThrow('needs more windows than were played');
});

test('a gate is judged from the folders of its runs, whose reports are written anew, and what was not played stays so', async () => {
  const dir = await folder();
  await recordPool(join(dir, 'pool'), 'never shrinks');
  writeRun(dir, 'gate', { name: 'release', startedAt, runs: ['pool'], notPlayed: [{ name: 'ratelimit', why: 'pool failed before' }] });
  const run = await judgeRun(dir, undefined);
  expect(run).toMatchObject({
    name: 'release',
    verdict: 'FAIL',
    sentence: expect.stringContaining('pool: The service did not pass: P8 overflow'),
  });
  expect(run.sentence).toContain('Not played: ratelimit.');
  expect(await readFile(join(dir, 'pool/junit.xml'), 'utf8')).toContain('<failure type="P8 overflow"');
});

test('a folder that is used again holds the last run alone', async () => {
  const dir = await folder();
  writeRun(dir, 'compare', {});
  await recordPool(dir);
  expect(await judgeRun(dir, undefined)).toMatchObject({ name: 'pool' });
});

test('what cannot be judged, and what has no earlier run beside it, is told in a line', async () => {
  const dir = await folder();
  await expect(judgeRun(dir, undefined)).rejects.toThrow(`${dir} holds no run: there is none of measurement.jsonl, gate.json`);
  writeRun(dir, 'pool', { startedAt, recording: null });
  await expect(judgeRun(dir, async () => undefined)).rejects.toThrow('holds a run of pool, which is put beside no earlier one');
});
