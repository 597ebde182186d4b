import type { Verdict } from '../health/health-state.ts';
import type { Connection } from './database.ts';
import { guarded, inTransaction } from './database.ts';
import type { Incident, MonitorStore, StoredHealth } from './store.ts';

type IncidentRow = {
  id: string;
  probe: string;
  started_at: number;
  detected_at: number;
  detail: string;
  fired_at: number | null;
  suppressed_by: string | null;
  ended_at: number | null;
};

type HealthRow = { probe: string; verdict: Verdict; since: number; checked_at: number; latency_ms: number; detail: string };

export type IncidentTables = Pick<MonitorStore, 'loadHealth' | 'openIncidents' | 'recentIncidents' | 'commitTick'>;

/** Health, incidents and the alerts they cause. `channels` are those every alert is queued for. */
export function incidentTables(connection: Connection, channels: readonly string[]): IncidentTables {
  const upsertHealth = connection.prepare(
    `INSERT INTO health (probe, verdict, since, checked_at, latency_ms, detail) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (probe) DO UPDATE SET verdict = excluded.verdict, since = excluded.since, checked_at = excluded.checked_at,
       latency_ms = excluded.latency_ms, detail = excluded.detail`,
  );
  const upsertIncident = connection.prepare(
    `INSERT INTO incidents (id, probe, started_at, detected_at, detail, fired_at, suppressed_by, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET fired_at = excluded.fired_at, suppressed_by = excluded.suppressed_by, ended_at = excluded.ended_at`,
  );
  const queue = connection.prepare(
    'INSERT INTO outbox (channel, alert_id, alert, decided_at, next_attempt_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  return {
    loadHealth: () => guarded('cannot be read', () => (connection.prepare('SELECT * FROM health').all() as HealthRow[]).map(toHealth)),
    openIncidents: () => incidentsWhere(connection, 'ended_at IS NULL ORDER BY started_at', []),
    recentIncidents: (limit) => incidentsWhere(connection, 'true ORDER BY started_at DESC LIMIT ?', [limit]),
    commitTick: ({ health, incidents, alerts }) =>
      inTransaction(connection, () => {
        if (health) upsertHealth.run(health.probe, health.verdict, health.since, health.checkedAt, health.latencyMs, health.detail);
        for (const incident of incidents) upsertIncident.run(...toIncidentRow(incident));
        for (const alert of alerts) {
          const decidedAt = Date.parse(alert.decidedAt);
          for (const channel of channels) queue.run(channel, alert.id, JSON.stringify(alert), decidedAt, decidedAt);
        }
      }),
  };
}

function incidentsWhere(connection: Connection, condition: string, parameters: readonly unknown[]): Incident[] {
  return guarded('cannot be read', () => {
    const rows = connection.prepare(`SELECT * FROM incidents WHERE ${condition}`).all(...parameters) as IncidentRow[];
    return rows.map(toIncident);
  });
}

function toIncidentRow(incident: Incident): unknown[] {
  const { id, probe, startedAt, detectedAt, detail, firedAt, suppressedBy, endedAt } = incident;
  return [id, probe, startedAt, detectedAt, detail, firedAt ?? null, suppressedBy ?? null, endedAt ?? null];
}

function toIncident(row: IncidentRow): Incident {
  return {
    id: row.id,
    probe: row.probe,
    startedAt: row.started_at,
    detectedAt: row.detected_at,
    detail: row.detail,
    firedAt: row.fired_at ?? undefined,
    suppressedBy: row.suppressed_by ?? undefined,
    endedAt: row.ended_at ?? undefined,
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
