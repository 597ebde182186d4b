import type { Verdict } from './verdict.ts';

/**
 * What became of one thing that was looked at. `NOT SUPPORTED`: the service does without it, which it may. `NOT CHECKED`: it
 * cannot be seen here. `INVALID`: client or machine may have made what was seen, or it was never put to the test.
 */
export type Outcome = 'PASS' | 'FAIL' | 'INVALID' | 'NOT SUPPORTED' | 'NOT CHECKED';

const outcomes: readonly Outcome[] = ['PASS', 'FAIL', 'INVALID', 'NOT SUPPORTED', 'NOT CHECKED'];

/** What was broken is a FAIL whatever else could not be proved. */
export function verdictOf(found: readonly Outcome[]): Verdict {
  if (found.includes('FAIL')) return 'FAIL';
  return found.includes('INVALID') ? 'INVALID' : 'PASS';
}

/** `49 PASS, 1 FAIL, 2 NOT CHECKED`. */
export const countOutcomes = (found: readonly Outcome[]): string =>
  outcomes
    .map((outcome) => [found.filter((one) => one === outcome).length, outcome] as const)
    .filter(([count]) => count > 0)
    .map(([count, outcome]) => `${count} ${outcome}`)
    .join(', ');
