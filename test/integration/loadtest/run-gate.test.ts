import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { CommandContext, Run } from '#loadtest/command.ts';
import type { Gate } from '#loadtest/gates.ts';
import { UsageError } from '#lib/errors.ts';
import { judgeRun } from '#loadtest/judge-run.ts';
import type { Verdict } from '#loadtest/judge/verdict.ts';
import { smoke } from '#loadtest/plans/smoke.ts';
import { runGate } from '#loadtest/run-gate.ts';
import { cleanEnvironment, compiledOnce } from '#test/support/clean-environment.ts';

const startedAt = '2026-01-01T00:00:00.000Z';

/** A run that ends like that, and notes that it was played. */
const runOf = (name: string, verdict: Verdict, played: string[]): Run => ({
  name,
  play: async () => void played.push(name),
  judge: async () => ({
    name,
    verdict,
    sentence: `${name} ended.`,
    startedAt,
    text: '',
    json: {},
    suites: [{ name, startedAt, verdict, cases: [] }],
    markdown: '',
    html: '',
  }),
});

const gateOf = (runs: readonly Run[]): Gate => ({ name: 'release', summary: '', plans: [smoke], runs });

async function outFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-gate-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

const play = (gate: Gate, out: string, signal: AbortSignal): Promise<number> => {
  const context: CommandContext = { env: { ...cleanEnvironment(), ...compiledOnce }, signal, randomSeed: 1, now: new Date(startedAt) };
  return runGate(gate, { positionals: [], flags: { out, duration: '1s', users: '5' } }, context);
};

test('on stacks of its own a gate plays its plans and then its other runs, each into a folder, up to the first that fails', async () => {
  const dir = await outFolder();
  const played: string[] = [];
  const runs = [runOf('first', 'INVALID', played), runOf('second', 'FAIL', played), runOf('third', 'PASS', played)];
  expect(await play(gateOf(runs), dir, AbortSignal.timeout(100_000))).toBe(99);

  expect(played).toEqual(['first', 'second']);
  const { gate: name, runs: told, notPlayed } = JSON.parse(await readFile(join(dir, 'report.json'), 'utf8')) as Record<string, unknown>;
  expect({ name, told, notPlayed }).toMatchObject({
    name: 'release',
    told: [{ name: 'smoke', report: { plan: 'smoke' } }, { name: 'first' }, { name: 'second', verdict: 'FAIL' }],
    notPlayed: [{ name: 'third', why: 'second failed before' }],
  });
  expect(await readdir(dir)).toEqual(expect.arrayContaining(['smoke', 'first', 'second', 'gate.json', 'junit.xml']));
}, 120_000);

test('a gate that is canceled tells what was judged before, leaves its reports, and ends as canceled', async () => {
  const dir = await outFolder();
  const stopping = new AbortController();
  const canceled: Run = {
    ...runOf('second', 'PASS', []),
    play: async () => {
      stopping.abort(new Error('ended by SIGINT'));
      throw stopping.signal.reason;
    },
  };
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  onTestFinished(() => said.mockRestore());
  expect(await play(gateOf([canceled, runOf('third', 'PASS', [])]), dir, stopping.signal)).toBe(1);
  expect(said.mock.calls.join('')).toMatch(/^canceled; judged before: smoke (PASS|INVALID)\n$/);

  const notPlayed = ['second', 'third'].map((name) => ({ name, why: 'canceled', isMissed: true }));
  const told = JSON.parse(await readFile(join(dir, 'report.json'), 'utf8')) as unknown;
  expect(told).toMatchObject({ verdict: 'INVALID', runs: [{ name: 'smoke' }], notPlayed });
  expect(await judgeRun(dir, undefined)).toMatchObject({ verdict: 'INVALID', json: { notPlayed } });
}, 120_000);

test('a gate of which a part cannot be played says why, with the reports of what was judged before it, and is no PASS', async () => {
  const dir = await outFolder();
  const broken: Run = { ...runOf('second', 'PASS', []), play: () => Promise.reject(new UsageError('no room for a second stack')) };
  const played: string[] = [];
  await expect(play(gateOf([broken, runOf('third', 'PASS', played)]), dir, AbortSignal.timeout(100_000))).rejects.toThrow(
    'no room for a second stack',
  );
  expect(played).toEqual([]);
  const notPlayed = [
    { name: 'second', why: 'no room for a second stack', isMissed: true },
    { name: 'third', why: 'it comes after what could not be played', isMissed: true },
  ];
  const told = JSON.parse(await readFile(join(dir, 'report.json'), 'utf8')) as unknown;
  expect(told).toMatchObject({ verdict: 'INVALID', runs: [{ name: 'smoke' }], notPlayed });
  expect(await judgeRun(dir, undefined)).toMatchObject({ verdict: 'INVALID', json: { notPlayed } });
}, 120_000);
