import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CommandContext, Run } from '#loadtest/command.ts';
import type { Gate } from '#loadtest/gates.ts';
import type { Verdict } from '#loadtest/judge/verdict.ts';
import { smoke } from '#loadtest/plans/smoke.ts';
import { runGate } from '#loadtest/run-gate.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';

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

test('on stacks of its own a gate plays its plans and then its other runs, each into a folder, up to the first that fails', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-gate-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const played: string[] = [];
  const runs = [runOf('first', 'INVALID', played), runOf('second', 'FAIL', played), runOf('third', 'PASS', played)];
  const gate: Gate = { name: 'release', summary: '', plans: [smoke], runs };
  const context: CommandContext = {
    env: cleanEnvironment(),
    signal: AbortSignal.timeout(100_000),
    randomSeed: 1,
    now: new Date(startedAt),
  };

  const flags = { out: dir, duration: '1s', users: '5' };
  expect(await runGate(gate, { positionals: [], flags }, context)).toBe(99);

  expect(played).toEqual(['first', 'second']);
  const { gate: name, runs: told, notPlayed } = JSON.parse(await readFile(join(dir, 'report.json'), 'utf8')) as Record<string, unknown>;
  expect({ name, told, notPlayed }).toMatchObject({
    name: 'release',
    told: [{ name: 'smoke', report: { plan: 'smoke' } }, { name: 'first' }, { name: 'second', verdict: 'FAIL' }],
    notPlayed: [{ name: 'third', why: 'second failed before' }],
  });
  expect(await readdir(dir)).toEqual(expect.arrayContaining(['smoke', 'first', 'second', 'gate.json', 'junit.xml']));
}, 120_000);
