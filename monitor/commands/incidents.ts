import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { shortDuration, shortTime } from '../model/show.ts';
import type { Incident } from '../model/incident.ts';
import { openForReading, storeFileName } from '../store/database.ts';
import { createStore } from '../store/open-store.ts';

/**
 * The last incidents from the store, newest first; a running daemon is neither needed nor disturbed.
 * @throws {StoreError}
 */
export function readIncidents(dir: string, limit: number): readonly Incident[] {
  const file = join(dir, storeFileName);
  if (!existsSync(file)) return [];
  const store = createStore(openForReading(file).connection);
  try {
    return store.recentIncidents(limit);
  } finally {
    store.close();
  }
}

export function describeIncidents(incidents: readonly Incident[], now: number): string {
  if (incidents.length === 0) return 'no incidents';
  return incidents
    .map(({ probe, startedAt, endedAt, detail, firedAt, suppressedBy }) => {
      const lasted = `${shortDuration((endedAt ?? now) - startedAt)}${endedAt === undefined ? ' so far' : ''}`;
      const told = firedAt !== undefined ? 'alerted' : suppressedBy === undefined ? 'not alerted' : `explained by ${suppressedBy}`;
      return `${shortTime(new Date(startedAt).toISOString())}  ${probe.padEnd(12)} ${lasted.padEnd(14)} ${told.padEnd(12)} ${detail}`;
    })
    .join('\n');
}
