import { judgeAccounts } from './accounting.ts';
import { judgeArrivals } from './arrivals.ts';
import { judgeRest } from './at-rest.ts';
import type { Judge } from './check.ts';
import { judgeEndpoints } from './endpoint-limits.ts';
import { judgeGrowth } from './growth.ts';
import { judgeInstrument } from './instrument.ts';
import { judgeLimits } from './limits.ts';
import { judgeSetUp } from './set-up.ts';
import { judgeSettings } from './settings.ts';
import { judgeSteps } from './step-limits.ts';
import { judgeWindows } from './window-limits.ts';

/** What every plan is judged by, whatever its scenario. */
export const standardJudges: readonly Judge[] = [
  judgeSetUp,
  judgeLimits,
  judgeEndpoints,
  judgeWindows,
  judgeSteps,
  judgeGrowth,
  judgeSettings,
  judgeRest,
  judgeAccounts,
  judgeInstrument,
  judgeArrivals,
];
