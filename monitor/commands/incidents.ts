import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { showDuration, showTime } from '#lib/show.ts';
import { presentIncident, type IncidentView } from '../status-page/status-view.ts';
import { openForReading, storeFileName } from '../store/database.ts';
import { createStore } from '../store/open-store.ts';

/** What `incidents --json` prints, in the shape `/api/status` has; `note` says when not everything may be understood. */
export type FoundIncidents = { readonly incidents: readonly IncidentView[]; readonly note: string | undefined };

/**
 * The last incidents from the store, newest first. A running daemon is neither needed nor disturbed: nothing is written.
 * @throws {StoreError}
 */
export function readIncidents(dir: string, { limit, now }: { readonly limit: number; readonly now: number }): FoundIncidents {
  const file = join(dir, storeFileName);
  if (!existsSync(file)) return { incidents: [], note: undefined };
  const { connection, note } = openForReading(file);
  const store = createStore(connection);
  try {
    return { incidents: store.recentIncidents(limit).map((incident) => presentIncident(incident, now)), note };
  } finally {
    store.close();
  }
}

export function describeIncidents(incidents: readonly IncidentView[]): string {
  if (incidents.length === 0) return 'no incidents';
  return incidents
    .map((incident) => {
      const { target, detail, started_at: startedAt, ended_at: endedAt, duration_ms: durationMs } = incident;
      const lasted = `${showDuration(durationMs)}${endedAt === null ? ' so far' : ''}`;
      return `${showTime(startedAt)}  ${target.padEnd(12)} ${lasted.padEnd(14)} ${told(incident).padEnd(12)} ${detail}`;
    })
    .join('\n');
}

function told({ alerted_at: alertedAt, explained_by: explainedBy, held_by: heldBy, acknowledged_by: by }: IncidentView): string {
  if (by !== null) return `taken on by ${by}`;
  if (alertedAt !== null) return heldBy === null ? 'alerted' : `alerted, reminders held by ${heldBy}`;
  if (heldBy !== null) return `held by ${heldBy}`;
  return explainedBy === null ? 'not alerted' : `explained by ${explainedBy}`;
}
