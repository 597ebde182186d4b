import type { Incident, IncidentKind, Note } from '../model/incident.ts';
import type { HealthStatus } from '../model/look.ts';
import { presentHistory, type HistoryView } from './history-view.ts';
import { presentMaintenance, type MaintenanceView } from './quiet-view.ts';
import type { StatusSnapshot } from './status-snapshot.ts';
import { worstOf } from './status-view.ts';

/**
 * What anybody may know: names and how they fare. Nothing of where a target is, what it said, who is told and who took it on; each
 * field is named here, so that one more of the operators' view never shows by itself. `/api/status` is this as JSON. Times: ISO.
 */
export type PublicView = {
  readonly status: HealthStatus;
  /** To ten seconds: a page that has not changed is not sent again. */
  readonly generated_at: string;
  readonly targets: readonly PublicTarget[];
  /** Newest first; null when the record cannot be read. What is wrong with the monitor itself is not among them. */
  readonly incidents: readonly PublicIncident[] | null;
  readonly maintenance: readonly MaintenanceView[];
};

export type PublicTarget = {
  readonly name: string;
  readonly status: HealthStatus;
  /** Whether it was said that everybody may see how long its answers take. */
  readonly shows_latency: boolean;
  readonly history: HistoryView;
};

export type PublicIncident = {
  readonly id: string;
  readonly kind: PublicKind;
  readonly target: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  /** What operators wrote for everybody, oldest first. */
  readonly notes: readonly PublicNote[];
};

export type PublicNote = { readonly at: string; readonly kind: Note['kind']; readonly text: string };

type PublicKind = Exclude<IncidentKind, 'self'>;

const grainMs = 10_000;

/** Pure, but for the days, which it reads. @param notes of the incidents */
export function presentPublic(snapshot: StatusSnapshot, notes: readonly Note[]): PublicView {
  const { now, targets, incidents, maintenance } = snapshot;
  const histories = presentHistory(
    targets.map(({ name }) => name),
    readOrNothing(snapshot.readTallies),
    now,
  );
  return {
    status: worstOf(targets.map(({ status }) => status)),
    generated_at: new Date(Math.floor(now / grainMs) * grainMs).toISOString(),
    targets: histories.map((history, index) => ({
      name: history.target,
      status: targets[index]?.status ?? 'unknown',
      shows_latency: targets[index]?.isLatencyPublic === true,
      history,
    })),
    incidents: incidents?.flatMap((each) => presentPublicIncident(each, notes)) ?? null,
    maintenance: maintenance.flatMap((planned) => presentMaintenance(planned, now)),
  };
}

/** Where the store cannot be read, how targets fare now is shown all the same. */
function readOrNothing(read: StatusSnapshot['readTallies']): ReturnType<StatusSnapshot['readTallies']> {
  try {
    return read();
  } catch {
    return [];
  }
}

/** Nothing of one that the public does not see. Pure. */
export function presentPublicIncident({ id, kind, probe, startedAt, endedAt }: Incident, notes: readonly Note[]): PublicIncident[] {
  if (kind === 'self') return [];
  const own = notes.filter((note) => note.incidentId === id && note.isPublic);
  return [
    {
      id,
      kind,
      target: probe,
      started_at: iso(startedAt),
      ended_at: endedAt === undefined ? null : iso(endedAt),
      notes: own.map((note) => ({ at: iso(note.at), kind: note.kind, text: note.text })),
    },
  ];
}

const iso = (ms: number): string => new Date(ms).toISOString();
