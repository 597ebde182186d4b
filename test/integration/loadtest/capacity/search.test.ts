import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { judge } from '#loadtest/judge/verdict.ts';
import { createMeasurementFile, readMeasurement } from '#loadtest/measurement/measurement-file.ts';
import { journeysPlan } from '#loadtest/plans/journeys.ts';
import { planOf } from '#loadtest/plans/plans.ts';
import { runPlan } from '#loadtest/run-plan.ts';
import { readJourneys } from '#loadtest/scenarios/journeys/read-journeys.ts';
import { openGivenTarget } from '#loadtest/targets/open-target.ts';
import { startQueueServer } from '#test/support/queue-server.ts';

/** Coarse and short, so that the search is over in half a minute. */
const file = `
journeys: { ping: [GET /] }
load: { capacity: { users: 60, think: 1s, precision: 25% }, duration: 1s, warmUp: 1s, timeout: 3s }
`;

test('a file of journeys finds the capacity of a service of known capacity, or says that it could not tell; never another one', async () => {
  // 4 ÷ 0.02 s = 200 requests a second; its queue stays short up to nearly that.
  const server = await startQueueServer({ servers: 4, serviceMs: 20 });
  onTestFinished(server.stop);
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-capacity-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, 'ping.yaml'), file);
  const plan = journeysPlan(await readJourneys(join(dir, 'ping.yaml'), {}));
  const target = await openGivenTarget(server.origin, {}, false);
  const out = createMeasurementFile(dir);
  const hooks = { write: out.write, onStep: () => {}, onSecond: () => {}, signal: AbortSignal.timeout(150_000) };
  const changes = { users: undefined, thinkMs: undefined, durationMs: undefined, seed: 1, mix: [] };
  await runPlan(plan, changes, target, hooks).finally(out.close);

  const measurement = await readMeasurement(dir);
  expect(measurement.people).toEqual({ users: 60, thinkMs: [1_000, 1_000] });
  const { verdict, checks } = judge(measurement, planOf(measurement.plan)?.judges ?? []);
  const found = checks.find(({ id }) => id === 'capacity');
  const rates = [...(found?.measured ?? '').matchAll(/([\d,.]+)\/s/g)].map(([, rate]) => Number(rate));
  expect({ verdict, rates, found }).toSatisfy(isTrueOf200);
}, 180_000);

/** A step of the search. A client that could not tell may have stopped anywhere below the truth. */
function isTrueOf200({ verdict, rates: [low = 0, high = Infinity] }: { verdict: string; rates: number[] }): boolean {
  const step = 1.25;
  return low <= 200 * step && (verdict === 'INVALID' || (verdict === 'PASS' && high >= 200 / step));
}
