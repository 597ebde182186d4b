import type { ExitCode } from '#lib/exit-codes.ts';
import { catchMutants as catchAll, type Mutant } from '#test/zoo/catch-mutants.ts';

/** Monitors that cry wolf, each of which a few healthy days must notice. */
export const mutants: readonly Mutant[] = [
  {
    name: 'first-failure',
    says: 'one failed look is an outage',
    file: 'monitor/health/health-state.ts',
    find: 'streak.failures >= thresholds.failures',
    put: 'streak.failures >= 1',
  },
  {
    name: 'deploy-not-known',
    says: 'a silence and planned work keep nothing back',
    file: 'monitor/health/holds.ts',
    find: "ownQuiet: HoldRule = ({ quiet }) => (quiet ? { reason: 'quiet' } : undefined)",
    put: 'ownQuiet: HoldRule = () => undefined',
  },
  {
    name: 'slow-is-down',
    says: 'a slow answer is a failed one',
    file: 'monitor/health/run-probe.ts',
    find: "return { ...outcome, outcome: 'degraded', detail",
    put: "return { ...outcome, outcome: 'failed', detail",
  },
  {
    name: 'impatient',
    says: 'what is degraded is told at once',
    file: 'monitor/health/troubles.ts',
    find: "health.verdict === 'degraded' && now.clockMs - health.since.clockMs >= rules.patience.warnAfterMs",
    put: "health.verdict === 'degraded'",
  },
  {
    name: 'not-sure-of-itself',
    says: 'one look that the monitor could not take is told',
    file: 'monitor/health/troubles.ts',
    find: 'now.clockMs - health.faultySince.clockMs >= rules.patience.unknownAfterMs',
    put: 'now.clockMs >= health.faultySince.clockMs',
  },
  {
    name: 'greenwich',
    says: 'planned work begins by the clocks of Greenwich',
    file: 'monitor/quiet/maintenance.ts',
    find: "if (timeZone === 'UTC') return 0;",
    put: "if (timeZone !== '') return 0;",
  },
  {
    name: 'load-test-counted',
    says: 'what a load test is answered counts in the objective',
    file: 'monitor/slo/request-totals.ts',
    find: "if (load === 'test') {",
    put: "if (load === 'never') {",
  },
  {
    name: 'one-bad-answer',
    says: 'one bad answer among few wakes somebody',
    file: 'monitor/slo/burn.ts',
    find: 'goesOn && long.bad > 1 && limit < 1 && atLeast(long.bad, long.good + long.bad, limit) <= alpha',
    put: 'goesOn && limit < 1 && long.bad >= limit * (long.good + long.bad)',
  },
];

const daysPerMutant = 3;

/** Plays a few days with each mutant. */
export const catchMutants = (names: readonly string[]): Promise<ExitCode> =>
  catchAll(mutants, names, { play: ['test/calm/cli.ts', 'days', '--count', String(daysPerMutant)], extent: `${daysPerMutant} days` });
