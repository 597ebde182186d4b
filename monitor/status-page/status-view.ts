import type { HealthStatus } from '../model/look.ts';
import type { TargetSnapshot } from '../health/watch.ts';
import type { SelfReport } from './self-watch.ts';
import type { ChannelState } from '../model/alert.ts';
import type { Incident, IncidentKind } from '../model/incident.ts';
import { quietLabel } from '../model/quiet.ts';
import {
  presentEntry,
  presentMaintenance,
  presentSilence,
  type MaintenanceView,
  type SilenceView,
  type TimelineView,
} from './quiet-view.ts';
import type { StatusSnapshot } from './status-snapshot.ts';
import type { Language } from '../words/language.ts';
import { say } from '../words/say.ts';

/** The public shape of the monitor's knowledge: `/api/status` is this as JSON, the page is this as HTML. Times: ISO. */
export type StatusView = {
  readonly status: HealthStatus;
  readonly generated_at: string;
  readonly started_at: string;
  readonly monitor: SelfReport;
  readonly targets: readonly TargetView[];
  readonly incidents: readonly IncidentView[] | null;
  readonly silences: readonly SilenceView[];
  readonly maintenance: readonly MaintenanceView[];
  /** Newest first. */
  readonly timeline: readonly TimelineView[] | null;
  readonly channels: readonly ChannelView[] | null;
  readonly backups: BackupsView;
};

export type TargetView = {
  readonly name: string;
  readonly kind: string;
  readonly status: HealthStatus;
  readonly since: string | null;
  readonly detail: string;
  readonly latency_ms: number | null;
  readonly checked_at: string | null;
  readonly interval_ms: number;
  readonly detection_bound_ms: number;
  readonly depends_on: readonly string[];
  readonly is_flapping: boolean;
  /** What keeps its messages back, such as `silence s1`. */
  readonly held_by: string | null;
  /** What else the last look found. */
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  /** Oldest first. */
  readonly recent: readonly { readonly at: string; readonly outcome: string; readonly latency_ms: number }[];
};

export type IncidentView = {
  readonly id: string;
  readonly kind: IncidentKind;
  readonly target: string;
  readonly detail: string;
  readonly started_at: string;
  readonly detected_at: string;
  readonly ended_at: string | null;
  readonly duration_ms: number;
  /** When people were told; null when another target's outage explains this one, or it waits for that to be clear. */
  readonly alerted_at: string | null;
  readonly explained_by: string | null;
  /** What has kept its message back, or one that is still to come. */
  readonly held_by: string | null;
  readonly acknowledged_at: string | null;
  readonly acknowledged_by: string | null;
};

export type ChannelView = {
  readonly name: string;
  readonly pending: number;
  readonly failed: number;
  readonly last_sent_at: string | null;
  readonly last_error: string | null;
  /** Since when it takes nothing; null while it works. */
  readonly broken_since: string | null;
};

export type BackupsView =
  | { readonly state: 'off' | 'unreadable' }
  | {
      readonly state: 'running' | 'failing' | 'waiting' | 'ok';
      readonly schedule_utc: string;
      /** Null when a run is due now. */
      readonly next_at: string | null;
      readonly last_failure: string | null;
      readonly newest_verified_at: string | null;
      readonly recent: readonly { readonly id: string; readonly taken_at: string; readonly state: string; readonly size_bytes: number }[];
    };

const backupsShown = 5;

/** What was found is put into a language; what targets said is as it is. Pure. */
export function presentStatus(snapshot: StatusSnapshot, language: Language = 'en'): StatusView {
  return {
    status: worstOf(snapshot.targets.map(({ status }) => status)),
    generated_at: iso(snapshot.now),
    started_at: iso(snapshot.startedAt),
    monitor: snapshot.self,
    targets: snapshot.targets.map((target) => presentTarget(target, language)),
    incidents: snapshot.incidents?.map((incident) => presentIncident(incident, snapshot.now)) ?? null,
    silences: snapshot.silences.map(presentSilence),
    maintenance: snapshot.maintenance.flatMap((planned) => presentMaintenance(planned, snapshot.now)),
    timeline: snapshot.timeline?.map(presentEntry) ?? null,
    channels: snapshot.channels?.map(presentChannel) ?? null,
    backups: presentBackups(snapshot.backups),
  };
}

/** The gravest status of all; `unknown` without any. Pure. */
export function worstOf(statuses: readonly HealthStatus[]): HealthStatus {
  const gravest = (['down', 'unknown', 'degraded'] as const).find((status) => statuses.includes(status));
  return gravest ?? (statuses.length === 0 ? 'unknown' : 'up');
}

/** Pure. */
export function presentTarget(target: TargetSnapshot, language: Language = 'en'): TargetView {
  const { health } = target;
  const last = health.recent.at(-1);
  return {
    name: target.name,
    kind: target.kind,
    status: target.status,
    since: target.status === 'unknown' ? null : iso(health.since.at),
    detail: health.fault ?? last?.detail ?? 'not looked at yet',
    latency_ms: last?.latencyMs ?? null,
    checked_at: last ? iso(last.at) : null,
    interval_ms: target.cadence.intervalMs,
    detection_bound_ms: target.detectionBoundMs,
    depends_on: target.dependsOn.flat(),
    is_flapping: target.incidents.some(({ kind }) => kind === 'flapping'),
    held_by: target.quiet ? quietLabel(target.quiet) : null,
    facts: (last?.facts ?? []).map(([label, value]) => ({ label, value: say(value, language) })),
    recent: health.recent.map(({ at, outcome, latencyMs }) => ({ at: iso(at), outcome, latency_ms: latencyMs })),
  };
}

/** Pure. */
export function presentIncident(incident: Incident, now: number): IncidentView {
  return {
    id: incident.id,
    kind: incident.kind,
    target: incident.probe,
    detail: incident.detail,
    started_at: iso(incident.startedAt),
    detected_at: iso(incident.detectedAt),
    ended_at: isoOrNull(incident.endedAt),
    duration_ms: Math.max(0, (incident.endedAt ?? now) - incident.startedAt),
    alerted_at: isoOrNull(incident.firedAt),
    explained_by: incident.firedAt === undefined ? (incident.suppressedBy ?? null) : null,
    held_by: incident.heldBy ?? null,
    acknowledged_at: isoOrNull(incident.acknowledged?.at),
    acknowledged_by: incident.acknowledged?.by ?? null,
  };
}

function presentChannel(channel: ChannelState): ChannelView {
  return {
    name: channel.channel,
    pending: channel.pending,
    failed: channel.failed,
    last_sent_at: isoOrNull(channel.lastSentAt),
    last_error: channel.lastError ?? null,
    broken_since: isoOrNull(channel.brokenSince),
  };
}

function presentBackups(backups: StatusSnapshot['backups']): BackupsView {
  if (backups.state !== 'on') return { state: backups.state };
  const { overview, schedule } = backups;
  const { decision, lastFailure, newestVerifiedAt } = overview;
  const resting = newestVerifiedAt === undefined ? 'waiting' : 'ok';
  return {
    state: overview.isRunning ? 'running' : lastFailure === undefined ? resting : 'failing',
    schedule_utc: schedule,
    next_at: decision.isDue ? null : iso(decision.nextAt),
    last_failure: lastFailure ?? null,
    newest_verified_at: isoOrNull(newestVerifiedAt),
    recent: overview.backups
      .slice(0, backupsShown)
      .map(({ id, takenAt, state, sizeBytes }) => ({ id, taken_at: takenAt, state, size_bytes: sizeBytes })),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : iso(ms));
