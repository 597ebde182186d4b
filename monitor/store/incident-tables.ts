import type { Incident, IncidentKind, LookRecord, StoredHealth } from '../model/incident.ts';
import type { Verdict } from '../model/look.ts';
import { guarded, type Connection } from './database.ts';
import type { MonitorStore } from './store.ts';

/** Columns that a store of another version lacks are undefined. */
type IncidentRow = {
  id: string;
  kind?: IncidentKind;
  probe: string;
  started_at: number;
  detected_at: number;
  detail: string;
  fired_at: number | null;
  reminders?: number;
  last_told_at?: number | null;
  suppressed_by: string | null;
  held_by?: string | null;
  acknowledged_at?: number | null;
  acknowledged_by?: string | null;
  ended_at: number | null;
  looks?: string | null;
  turns?: number | null;
};

type HealthRow = { probe: string; verdict: Verdict; since: number; checked_at: number; latency_ms: number; detail: string };

export type IncidentTables = Pick<MonitorStore, 'loadHealth' | 'openIncidents' | 'lastOutageEnds' | 'recentIncidents'> & {
  readonly writeHealth: (health: StoredHealth) => void;
  readonly writeIncident: (incident: Incident) => void;
};

/** Health and incidents over their tables. Statements that write are prepared at the first write: a reader never gets there. */
export function incidentTables(connection: Connection): IncidentTables {
  return {
    loadHealth: () =>
      guarded('cannot be read', () => (connection.prepare('SELECT * FROM health').all() as unknown as HealthRow[]).map(toHealth)),
    openIncidents: () => incidentsWhere(connection, 'ended_at IS NULL ORDER BY started_at', []),
    lastOutageEnds: () =>
      guarded('cannot be read', () => {
        const rows = connection
          .prepare("SELECT probe, max(ended_at) AS at FROM incidents WHERE kind = 'down' AND ended_at IS NOT NULL GROUP BY probe")
          .all();
        return new Map((rows as { probe: string; at: number }[]).map(({ probe, at }) => [probe, at]));
      }),
    recentIncidents: (limit) => incidentsWhere(connection, 'true ORDER BY started_at DESC LIMIT ?', [limit]),
    writeHealth: ({ probe, verdict, since, checkedAt, latencyMs, detail }) => {
      connection
        .prepare('INSERT OR REPLACE INTO health (probe, verdict, since, checked_at, latency_ms, detail) VALUES (?, ?, ?, ?, ?, ?)')
        .run(probe, verdict, since, checkedAt, latencyMs, detail);
    },
    writeIncident: (incident) => {
      connection
        .prepare(
          `INSERT INTO incidents (id, kind, probe, started_at, detected_at, detail, fired_at, reminders, last_told_at, suppressed_by,
             ended_at, held_by, acknowledged_at, acknowledged_by, looks, turns)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET fired_at = excluded.fired_at, reminders = excluded.reminders,
             last_told_at = excluded.last_told_at, suppressed_by = excluded.suppressed_by, ended_at = excluded.ended_at,
             held_by = excluded.held_by, acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by,
             turns = excluded.turns`,
        )
        .run(...toIncidentRow(incident));
    },
  };
}

/** @throws {StoreError} */
export function incidentsWhere(connection: Connection, condition: string, parameters: readonly (number | string)[]): Incident[] {
  return guarded('cannot be read', () => {
    const rows = connection.prepare(`SELECT * FROM incidents WHERE ${condition}`).all(...parameters) as unknown as IncidentRow[];
    return rows.map(toIncident);
  });
}

function toIncidentRow(incident: Incident): (string | number | null)[] {
  const { id, kind, probe, startedAt, detectedAt, detail, firedAt, reminders, lastToldAt, suppressedBy, endedAt } = incident;
  const { heldBy, acknowledged, looks, turns } = incident;
  const optional = [firedAt ?? null, reminders, lastToldAt ?? null, suppressedBy ?? null, endedAt ?? null];
  const quiet = [heldBy ?? null, acknowledged?.at ?? null, acknowledged?.by ?? null];
  const found = looks && JSON.stringify(looks);
  return [id, kind, probe, startedAt, detectedAt, detail, ...optional, ...quiet, found ?? null, turns ?? null];
}

function toIncident(row: IncidentRow): Incident {
  return {
    id: row.id,
    kind: row.kind ?? 'down',
    probe: row.probe,
    startedAt: row.started_at,
    detectedAt: row.detected_at,
    detail: row.detail,
    firedAt: row.fired_at ?? undefined,
    reminders: row.reminders ?? 0,
    lastToldAt: row.last_told_at ?? row.fired_at ?? undefined,
    suppressedBy: row.suppressed_by ?? undefined,
    heldBy: row.held_by ?? undefined,
    acknowledged: typeof row.acknowledged_at === 'number' ? { at: row.acknowledged_at, by: row.acknowledged_by ?? '' } : undefined,
    endedAt: row.ended_at ?? undefined,
    turns: row.turns ?? undefined,
    looks: typeof row.looks === 'string' ? (JSON.parse(row.looks) as LookRecord[]) : undefined,
  };
}

function toHealth(row: HealthRow): StoredHealth {
  return {
    probe: row.probe,
    verdict: row.verdict,
    since: row.since,
    checkedAt: row.checked_at,
    latencyMs: row.latency_ms,
    detail: row.detail,
  };
}
