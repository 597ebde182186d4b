import { capacityHighlights, judgeCapacity } from '../capacity/judge-capacity.ts';
import { probesOf } from '../capacity/probes.ts';
import { nextStep, type SearchBounds } from '../capacity/search.ts';
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
  readonly bounds?: SearchBounds;
  /** Of each try. */
  readonly warmUpMs?: number;
  readonly budget?: Budget;
};

const durationMs = 8_000;
const leastUsers = 10;
const usual: Budget = { p95Ms: 200, p99Ms: 500, errorRate: 0.01 };

/** How much a service can take, and whether that is enough for the people it is meant for. */
export function capacityOf({ scenario, script, judges, bounds = wide, warmUpMs = 2_000, budget = usual }: CapacityOptions): Plan {
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
    timeoutMs: 5_000,
  });
  return {
    name: 'capacity',
    summary: 'Looks for the most requests a second within all limits: doubled, halved, confirmed; is it enough for 400 people?',
    scenario,
    people: { users: 400, thinkMs: [1_000, 3_000] },
    phases: [probe(bounds.first)],
    course: (soFar) => {
      const next = nextStep(probesOf(soFar), bounds);
      return next.kind === 'probe' ? probe(next.rate) : undefined;
    },
    highlights: capacityHighlights(bounds),
    judges: [judgeSetUp, judgeCapacity(bounds), judgeSettings, judgeRest, judgeAccounts, ...judges],
    budget,
  };
}

const wide: SearchBounds = { first: 50, least: 1, most: 2_000, precision: 1.05 };

export const capacity = capacityOf({ scenario: shop({ browse: 6, buy: 3, lookBack: 1 }), script: 'shop', judges: shopJudges });
