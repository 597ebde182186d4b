import { silenceName, type Silence, type TimelineEntry } from '../model/quiet.ts';
import { nextWindow, windowAt, type Maintenance } from '../quiet/maintenance.ts';

/** `targets` null: every target. */
export type SilenceView = {
  readonly name: string;
  readonly targets: readonly string[] | null;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly by: string;
  readonly reason: string;
};

/** The window of planned work that is under way, or else the next one. */
export type MaintenanceView = {
  readonly name: string;
  readonly targets: readonly string[] | null;
  readonly is_under_way: boolean;
  readonly starts_at: string;
  readonly ends_at: string;
};

export type TimelineView = {
  readonly at: string;
  readonly event: TimelineEntry['event'];
  readonly target: string | null;
  readonly incident_id: string | null;
  readonly by: string;
  readonly detail: string;
};

/** Pure. */
export function presentSilence(silence: Silence): SilenceView {
  const { targets, startsAt, endsAt, by, reason } = silence;
  return { name: silenceName(silence), targets: targets ?? null, starts_at: iso(startsAt), ends_at: iso(endsAt), by, reason };
}

/** Nothing of work that is over for good. Pure. */
export function presentMaintenance(planned: Maintenance, now: number): MaintenanceView[] {
  const current = windowAt(planned, now);
  const shown = current ?? nextWindow(planned, now);
  if (!shown) return [];
  const { name, targets } = planned;
  const times = { starts_at: iso(shown.startsAt), ends_at: iso(shown.endsAt) };
  return [{ name, targets: targets ?? null, is_under_way: current !== undefined, ...times }];
}

/** Pure. */
export function presentEntry({ at, event, probe, incidentId, by, detail }: TimelineEntry): TimelineView {
  return { at: iso(at), event, target: probe ?? null, incident_id: incidentId ?? null, by, detail };
}

/** Whom a silence or planned work concerns, in words. Pure. */
export const whom = ({ targets }: { readonly targets: readonly string[] | null }): string => targets?.join(', ') ?? 'every target';

const iso = (ms: number): string => new Date(ms).toISOString();
