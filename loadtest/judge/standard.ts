import { judgeAccounts } from './accounting.ts';
import { judgeRest } from './at-rest.ts';
import type { Judge } from './check.ts';
import { judgeInstrument } from './instrument.ts';
import { judgeLimits } from './limits.ts';

/** What every plan is judged by, whatever its scenario. */
export const standardJudges: readonly Judge[] = [judgeLimits, judgeRest, judgeAccounts, judgeInstrument];
