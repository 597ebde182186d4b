import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { judge } from '#loadtest/judge/verdict.ts';
import { createMeasurementFile, readMeasurement } from '#loadtest/measurement/measurement-file.ts';
import { capacityOf } from '#loadtest/plans/capacity.ts';
import { runPlan } from '#loadtest/run-plan.ts';
import type { Scenario } from '#loadtest/scenarios/scenario.ts';
import { shop } from '#loadtest/scenarios/shop/shop.ts';
import { startQueueServer } from '#test/support/queue-server.ts';

const ping: Scenario = {
  ...shop({ browse: 1, buy: 1, lookBack: 1 }),
  name: 'ping',
  crowdFile: join(import.meta.dirname, '../ping-crowd.ts'),
  highlights: () => [],
  prepare: async (_target, { users }) => ({
    facts: { pong: 'pong' },
    users: Array.from({ length: users }, () => ({})),
    enroll: async (count) => Array.from({ length: count }, () => ({})),
    disturbed: [],
    readBooks: async () => undefined,
    cleanUp: async () => [],
  }),
};

test('finds the capacity of a service of known capacity, or says that it could not tell; never another one', async () => {
  // 4 ÷ 0.02 s = 200 requests a second; its queue stays short up to nearly that.
  const server = await startQueueServer({ servers: 4, serviceMs: 20 });
  onTestFinished(server.stop);
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-capacity-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const target = { kind: 'given', origin: server.origin, loadtestKey: '', admin: undefined, postgres: undefined, pid: undefined } as const;
  const plan = capacityOf({
    scenario: ping,
    script: 'ping',
    judges: [],
    bounds: { first: 150, least: 1, most: 500, precision: 1.25 },
    warmUpMs: 500,
  });
  const file = createMeasurementFile(dir);
  const hooks = { write: file.write, onStep: () => {}, onSecond: () => {}, signal: AbortSignal.timeout(150_000) };
  const changes = { users: 60, thinkMs: [1_000, 1_000], durationMs: 2_000, seed: 1, mix: [] } as const;
  await runPlan(plan, changes, { ...target, stop: async () => {} }, hooks).finally(file.close);

  const measurement = await readMeasurement(dir);
  const { verdict, checks } = judge(measurement, plan.judges);
  const found = checks.find(({ id }) => id === 'capacity')?.measured ?? '';
  const rates = [...found.matchAll(/([\d,.]+)\/s/g)].map(([, rate]) => Number(rate));
  expect({ verdict, rates, found }).toSatisfy(isTrueOf200);
}, 180_000);

/** A client that could not tell may have stopped anywhere below the truth. */
function isTrueOf200({ verdict, rates: [low = 0, high = Infinity] }: { verdict: string; rates: number[] }): boolean {
  return verdict === 'INVALID' ? low <= 215 : verdict === 'PASS' && low > 140 && low <= 215 && high > 185;
}
