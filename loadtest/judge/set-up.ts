import { showCount, showShare } from '#lib/show.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { atLeast } from '#lib/binomial.ts';
import { broken, met, notChecked, type Check } from './check.ts';
import { errorAlpha } from './endpoint-limits.ts';

/**
 * Whether the target could be made ready: what it answers wrongly there is as wrong as later. One that did not answer at all
 * proves nothing, since nobody knows whose fault that was.
 */
export function judgeSetUp({ setUp, budget }: Measurement): Check[] {
  const head = { id: 'set-up', kind: 'limit', title: 'The target could be made ready for the run' } as const;
  const limit = `errors < ${showShare(budget.errorRate)}`;
  if (setUp === null) return [notChecked(head, 'the run was ended before it was prepared', limit)];
  const { requests, failed, witnesses, problem } = setUp;
  const measured = `${showCount(failed)} of ${showCount(requests)} requests failed`;
  if (problem !== null) {
    const kind = problem.isAnswered ? 'limit' : 'innocence';
    return [broken({ ...head, kind, witnesses }, measured, limit, `the run could not be prepared: ${problem.says}`)];
  }
  const tooMany = atLeast(failed, requests, budget.errorRate) < errorAlpha && failed > 1;
  if (tooMany) return [broken({ ...head, witnesses }, measured, limit, `while the run was prepared, ${measured} and had to be sent again`)];
  return [met(head, measured, limit)];
}
