import { capacityHighlights, judgeCapacity } from '../capacity/judge-capacity.ts';
import { probesOf } from '../capacity/probes.ts';
import { boundsOf, firstRate, nextStep } from '../capacity/search.ts';
import { judgeAccounts } from '../judge/accounting.ts';
import { judgeRest } from '../judge/at-rest.ts';
import type { Judge } from '../judge/check.ts';
import { judgeSetUp } from '../judge/set-up.ts';
import { judgeSettings } from '../judge/settings.ts';
import type { Budget } from '../measurement/measurement.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { shop } from '../scenarios/shop/shop.ts';
import { shopJudges } from '../scenarios/shop/judges.ts';
import type { Plan, PlannedPhase } from './plan.ts';

export type CapacityOptions = {
  readonly scenario: Scenario;
  /** Which of its scripts the users follow. */
  readonly script: string;
  /** What must hold whatever the rate. */
  readonly judges: readonly Judge[];
  /** Of each try. */
  readonly warmUpMs?: number;
  readonly durationMs?: number | undefined;
  readonly timeoutMs?: number;
  readonly budget?: Budget;
};

const leastUsers = 10;
const usual: Budget = { p95Ms: 200, p99Ms: 500, errorRate: 0.01 };

/** How much a service can take, and whether that is enough for the people it is meant for. */
export function capacityOf(options: CapacityOptions): Plan {
  const { scenario, script, judges, warmUpMs = 2_000, durationMs = 8_000, timeoutMs = 5_000, budget = usual } = options;
  const probe = (rate: number): PlannedPhase => ({
    name: `${rate}/s`,
    script,
    load: {
      kind: 'open',
      // Were all of them waiting, answers would take longer than the limit on average.
      users: Math.max(leastUsers, Math.ceil((rate * budget.p99Ms) / 1_000)),
      spacing: 'poisson',
      stages: [{ fromPerSecond: rate, toPerSecond: rate, durationMs }],
    },
    warmUpMs,
    durationMs,
    timeoutMs,
  });
  return {
    name: 'capacity',
    summary: 'Looks for the most requests a second within all limits: doubled, halved, confirmed; is it enough for 400 people?',
    scenario,
    people: { users: 400, thinkMs: [1_000, 3_000] },
    phases: [probe(firstRate)],
    course: (soFar) => {
      const next = nextStep(probesOf(soFar), boundsOf(budget));
      return next.kind === 'probe' ? probe(next.rate) : undefined;
    },
    highlights: capacityHighlights,
    judges: [judgeSetUp, judgeCapacity, judgeSettings, judgeRest, judgeAccounts, ...judges],
    budget,
  };
}

export const capacity = capacityOf({ scenario: shop({ browse: 6, buy: 3, lookBack: 1 }), script: 'shop', judges: shopJudges });
