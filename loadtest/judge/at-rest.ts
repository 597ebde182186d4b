import { showCount, showCountOf, showDuration } from '#lib/show.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { maxWitnesses, type Witness } from '../measurement/witness.ts';
import { broken, met, notChecked, type Check } from './check.ts';

/** Whether the target gave back what it had taken, once all was quiet again. */
export function judgeRest({ rest }: Measurement): Check[] {
  const why = rest === null ? 'the run ended before the target was at rest' : rest.notes.join('; ') || 'it could not be read';
  return [
    judgeZero(rest?.connectionsInUse ?? null, why, {
      id: 'connections-returned',
      title: 'Pool connections in use back to zero',
      reason: (count) => `${showCountOf(count, 'connection')} still checked out 10 s after the last request: a leak`,
      witnesses: (rest?.holders ?? []).map(({ worker, inUse }) => ({
        says: `its pool misses ${showCountOf(inUse, 'connection')}`,
        about: { worker },
      })),
    }),
    judgeZero(rest?.openTransactions ?? null, why, {
      id: 'transactions-closed',
      title: 'No transaction left open',
      reason: (count) => `${showCountOf(count, 'session')} of the API still in a transaction 10 s after the last request`,
      witnesses: (rest?.openSessions ?? []).map(({ pid, idleMs, statement }) => ({
        says: `idle in its transaction for ${showDuration(idleMs)}, last ran: ${statement}`,
        about: { pid },
      })),
    }),
  ];
}

type ZeroCheck = {
  readonly id: string;
  readonly title: string;
  readonly reason: (count: number) => string;
  readonly witnesses: readonly Witness[];
};

/** An invariant of something that must not be found at all. @param why it could not be counted, where `found` is null */
function judgeZero(found: number | null, why: string, { id, title, reason, witnesses }: ZeroCheck): Check {
  const head = { id, kind: 'invariant', title } as const;
  if (found === null) return notChecked(head, why, '0');
  if (found === 0) return met(head, '0', '0');
  return broken({ ...head, witnesses: witnesses.slice(0, maxWitnesses) }, showCount(found), '0', reason(found));
}
