import { judgeAccounts } from '../judge/accounting.ts';
import { judgeRest } from '../judge/at-rest.ts';
import type { Judge } from '../judge/check.ts';
import { judgeInstrument } from '../judge/instrument.ts';
import { judgeSetUp } from '../judge/set-up.ts';
import type { Plan } from '../plans/plan.ts';
import { journeyJudges } from '../scenarios/journeys/judges.ts';
import { journeys, scriptOfPaths } from '../scenarios/journeys/journeys.ts';
import { shopJudges } from '../scenarios/shop/judges.ts';
import { shop } from '../scenarios/shop/shop.ts';

export type WindowPlan = {
  /** Of a service that is no shop; undefined: the shop. */
  readonly paths?: readonly string[] | undefined;
  /** How long a window is measured. */
  readonly windowMs?: number | undefined;
  /** Users never pause: then a client that is too slow would hide what is to be found, and is calibrated. */
  readonly isSaturating?: boolean;
};

/** What is played in every window. Where users pause the client is not calibrated: what it adds it adds to both sides. */
export function comparePlan({ paths, windowMs = 7_000, isSaturating = false }: WindowPlan): Plan {
  const scenario = paths === undefined ? shop({ browse: 6, buy: 3, lookBack: 1 }) : journeys(scriptOfPaths(paths));
  return {
    name: 'compare',
    summary: 'one window of a comparison',
    scenario,
    phases: [
      {
        name: 'compare',
        script: 'shop',
        load: { kind: 'closed', users: 60, thinkMs: [100, 300] },
        warmUpMs: Math.min(2_000, windowMs),
        durationMs: windowMs,
        timeoutMs: 12_000,
      },
    ],
    judges: windowJudges(scenario.name),
    budget: { p95Ms: 200, p99Ms: 500, errorRate: 0.01 },
    ...(!isSaturating && { calibrates: false }),
  };
}

/** What a window is judged by alone: whether it is a measure, and what is wrong whatever the other side does. */
export const windowJudges = (scenario: string): readonly Judge[] => [
  judgeSetUp,
  judgeRest,
  judgeAccounts,
  judgeInstrument,
  ...(scenario === 'shop' ? shopJudges : journeyJudges),
];
