import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { standardJudges } from '#loadtest/judge/standard.ts';
import { judge } from '#loadtest/judge/verdict.ts';
import { createMeasurementFile, readMeasurement, type Entry } from '#loadtest/measurement/measurement-file.ts';
import type { Plan, PlannedPhase } from '#loadtest/plans/plan.ts';
import { runPlan } from '#loadtest/run-plan.ts';
import type { Scenario } from '#loadtest/scenarios/scenario.ts';
import { shop } from '#loadtest/scenarios/shop/shop.ts';
import { listen } from '#test/support/listen.ts';

/** A service with an admin listener: busy for a while after the last request, as one that still writes down what it did. */
async function startPonger(): Promise<{ origin: string; lastMs: () => number; isBusy: () => boolean }> {
  let lastMs = 0;
  const isBusy = (): boolean => performance.now() - lastMs < 700;
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/metrics')) {
      response.end(`atalaya_pool_connections{state="in_use"} ${isBusy() ? 1 : 0}\natalaya_pool_max 10\n`);
      return;
    }
    lastMs = performance.now();
    response.end('pong');
  });
  return { origin: `http://127.0.0.1:${await listen(server)}`, lastMs: () => lastMs, isBusy };
}

const phase = (name: string, changes: Partial<PlannedPhase> = {}): PlannedPhase => ({
  name,
  script: 'ping',
  load: { kind: 'closed', users: 4, thinkMs: [20, 40] },
  warmUpMs: 500,
  durationMs: 1_000,
  timeoutMs: 2_000,
  ...changes,
});

test('plays any scenario through its phases, each with users of its own, waits for rest before it reads the books, and cleans up last', async () => {
  const ponger = await startPonger();
  const seen: string[] = [];
  const ping: Scenario = {
    name: 'ping',
    crowdFile: join(import.meta.dirname, 'ping-crowd.ts'),
    nullServerFile: shop({ browse: 1, buy: 1, lookBack: 1 }).nullServerFile,
    mixes: {},
    highlights: () => [],
    prepare: async (_target, { users, runId }) => {
      seen.push(`prepare ${users}`);
      return {
        facts: { pong: 'pong', runId },
        users: Array.from({ length: users }, () => ({})),
        enroll: async (count) => {
          seen.push(`enroll ${count}`);
          return Array.from({ length: count }, () => ({}));
        },
        disturbed: [],
        readBooks: async () => {
          seen.push(ponger.isBusy() ? 'books while busy' : 'books at rest');
          return { page: 1 };
        },
        cleanUp: async () => {
          seen.push('clean up');
          return ['nothing'];
        },
      };
    },
  };
  const plan: Plan = {
    name: 'ping',
    summary: '',
    scenario: ping,
    phases: [phase('think'), phase('hurry', { load: { kind: 'saturating', users: 2 } })],
    judges: standardJudges,
    budget: { p95Ms: 1_000, p99Ms: 1_500, errorRate: 0.01 },
  };
  const target = {
    kind: 'given',
    origin: ponger.origin,
    loadtestKey: '',
    admin: { origin: ponger.origin, token: 't' },
    postgres: undefined,
    pid: undefined,
    stop: async () => {},
  } as const;
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-run-plan-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = createMeasurementFile(dir);
  const kinds: Entry['kind'][] = [];
  const hooks = {
    write: (entry: Entry) => {
      kinds.push(entry.kind);
      file.write(entry);
    },
    onStep: () => {},
    onSecond: () => {},
    signal: AbortSignal.timeout(60_000),
  };
  await runPlan(plan, { users: undefined, thinkMs: undefined, durationMs: undefined, seed: 1, mix: [] }, target, hooks);
  file.close();

  expect(seen).toEqual(['prepare 4', 'enroll 2', 'books at rest', 'clean up']);
  expect(kinds.filter((kind) => ['head', 'setUp', 'phase', 'rest', 'books', 'client', 'left'].includes(kind))).toEqual([
    'head',
    'setUp',
    'client',
    'phase',
    'phase',
    'rest',
    'books',
    'left',
  ]);
  const measurement = await readMeasurement(dir);
  const [first, second] = measurement.phases;
  expect(first).toMatchObject({ name: 'think', startSecond: 0, load: { kind: 'closed' } });
  expect(second).toMatchObject({ name: 'hurry', load: { kind: 'saturating', users: 2 } });
  expect(second?.startSecond).toBeGreaterThan(0);
  expect(measurement.slices.some((slice) => slice.second >= (second?.startSecond ?? Number.NaN))).toBe(true);
  expect(measurement.events).toHaveLength(first && second ? first.processes + second.processes : Number.NaN);
  const indices = (measurement.events as { users: number[] }[]).flatMap(({ users }) => users);
  expect(indices.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(measurement).toMatchObject({ books: { page: 1 }, left: ['nothing'], rest: { connectionsInUse: 0 } });
  expect(judge(measurement, standardJudges).checks.find(({ id }) => id === 'conservation')?.outcome).toBe('met');
});
