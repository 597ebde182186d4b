import { showCount } from '#lib/show.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { broken, met, notChecked, type Check } from './check.ts';

/** Whether the target gave back what it had taken, once all was quiet again. */
export function judgeRest({ rest }: Measurement): Check[] {
  const why = rest === null ? 'the run ended before the target was at rest' : rest.notes.join('; ') || 'it could not be read';
  return [
    judgeZero(rest?.connectionsInUse ?? null, why, {
      id: 'connections-returned',
      title: 'Pool connections in use back to zero',
      reason: (count) => `${count} connections were still checked out 10 s after the last request: a leak`,
    }),
    judgeZero(rest?.openTransactions ?? null, why, {
      id: 'transactions-closed',
      title: 'No transaction left open',
      reason: (count) => `${count} sessions of the API still were in a transaction 10 s after the last request`,
    }),
  ];
}

export type ZeroCheck = { readonly id: string; readonly title: string; readonly reason: (count: string) => string };

/** An invariant of something that must not be found at all. @param why it could not be counted, where `found` is null */
export function judgeZero(found: number | null, why: string, { id, title, reason }: ZeroCheck): Check {
  const head = { id, kind: 'invariant', title } as const;
  if (found === null) return notChecked(head, why, '0');
  return found === 0 ? met(head, '0', '0') : broken(head, showCount(found), '0', reason(showCount(found)));
}
