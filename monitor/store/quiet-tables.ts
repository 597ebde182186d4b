import type { Found, Silence, TimelineEntry } from '../model/quiet.ts';
import { guarded, inTransaction, type Connection } from './database.ts';
import type { MonitorStore } from './store.ts';

type SilenceRow = { number: number; targets: string | null; starts_at: number; ends_at: number; by: string; reason: string };
export type TimelineRow = {
  at: number;
  event: TimelineEntry['event'];
  probe: string | null;
  incident_id: string | null;
  by: string;
  detail: string;
  found: string | null;
};

export type QuietTables = Pick<MonitorStore, 'silences' | 'recentTimeline' | 'takeNonce'> & {
  readonly writeSilence: (silence: Silence) => void;
  readonly addToTimeline: (entry: TimelineEntry) => void;
};

/** Silences, the timeline, and which commands were taken, over their tables. */
export function quietTables(connection: Connection): QuietTables {
  return {
    silences: () =>
      guarded('cannot be read', () =>
        (connection.prepare('SELECT * FROM silences ORDER BY number').all() as unknown as SilenceRow[]).map(toSilence),
      ),
    recentTimeline: (limit) =>
      guarded('cannot be read', () =>
        (connection.prepare('SELECT * FROM timeline ORDER BY id DESC LIMIT ?').all(limit) as unknown as TimelineRow[]).map(toEntry),
      ),
    takeNonce: (nonce, at) =>
      inTransaction(
        connection,
        () => connection.prepare('INSERT OR IGNORE INTO nonces (nonce, at) VALUES (?, ?)').run(nonce, at).changes === 1,
      ),
    writeSilence: ({ number, targets, startsAt, endsAt, by, reason }) => {
      connection
        .prepare(
          `INSERT INTO silences (number, targets, starts_at, ends_at, by, reason) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (number) DO UPDATE SET ends_at = excluded.ends_at`,
        )
        .run(number, targets ? JSON.stringify(targets) : null, startsAt, endsAt, by, reason);
    },
    addToTimeline: ({ at, event, probe, incidentId, by, detail, found }) => {
      connection
        .prepare('INSERT INTO timeline (at, event, probe, incident_id, by, detail, found) VALUES (?, ?, ?, ?, ?, ?, ?)')
        .run(at, event, probe ?? null, incidentId ?? null, by, detail, found ? JSON.stringify(found) : null);
    },
  };
}

function toSilence({ number, targets, starts_at: startsAt, ends_at: endsAt, by, reason }: SilenceRow): Silence {
  return { number, targets: targets === null ? undefined : (JSON.parse(targets) as string[]), startsAt, endsAt, by, reason };
}

/** An entry as its row has it. */
export function toEntry({ at, event, probe, incident_id: incidentId, by, detail, found }: TimelineRow): TimelineEntry {
  const entry = { at, event, probe: probe ?? undefined, incidentId: incidentId ?? undefined, by, detail };
  return found === null ? entry : { ...entry, found: JSON.parse(found) as Found };
}
