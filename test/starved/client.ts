import { once } from 'node:events';
import { createMeasurementFile } from '#loadtest/measurement/measurement-file.ts';
import { users } from '#loadtest/plans/users.ts';
import { runPlan } from '#loadtest/run-plan.ts';
import type { Target } from '#loadtest/targets/target.ts';
import type { Way } from './ways.ts';

/** What the client is given; the target's secrets stand in no argument list. */
export type Job = {
  readonly target: Omit<Target, 'stop'>;
  readonly scenario: Way['scenario'];
  readonly dir: string;
  readonly seed: number;
};

/** Enough requests of each endpoint for a judgement, few enough that a whole core has time to spare. */
const load = { users: 60, thinkMs: [300, 900] as const, durationMs: 8_000 };

// A client of its own, so that it can be starved and the shop cannot: plays `users`, tells when the load begins, and ends.
const [job] = (await once(process, 'message')) as [Job];
const file = createMeasurementFile(job.dir);
const plan = { ...users, scenario: { ...users.scenario, ...job.scenario } };
const target = { ...job.target, stop: async () => {} };
await runPlan(plan, { ...load, seed: job.seed, mix: [] }, target, {
  write: file.write,
  onStep: () => {},
  onPhase: () => process.send?.('playing'),
  onSecond: () => {},
  signal: AbortSignal.timeout(120_000),
});
file.close();
process.disconnect();
