import { showDuration } from '#lib/show.ts';
import { alertId, type Alert, type AlertEvent, type Dependent } from '../model/alert.ts';
import type { Incident } from '../model/incident.ts';
import type { Finding, Moment } from '../model/look.ts';
import type { Subject, Trouble } from './troubles.ts';

/** The message that tells of an incident as it is now. */
export function buildAlert(
  event: AlertEvent,
  incident: Incident,
  finding: Finding,
  { now, dependents = [] }: { readonly now: Moment; readonly dependents?: readonly Dependent[] },
): Alert {
  return {
    ...finding,
    id: alertId(incident.id, event, event === 'reminder' ? incident.reminders : 1),
    event,
    incidentId: incident.id,
    probe: incident.probe,
    startedAt: new Date(incident.startedAt).toISOString(),
    decidedAt: new Date(now.at).toISOString(),
    ...(incident.endedAt === undefined ? {} : { endedAt: new Date(incident.endedAt).toISOString() }),
    dependents,
  };
}

/** That an incident still goes on: the incident as it is from now on, and its message. */
export function remind(
  trouble: Trouble,
  incident: Incident,
  subject: Subject,
  dependents: readonly Dependent[],
): { readonly incident: Incident; readonly alert: Alert } {
  const { now } = subject;
  const reminded = { ...incident, reminders: incident.reminders + 1, lastToldAt: now.at, heldBy: undefined };
  const { detail, ...rest } = withHeld(trouble.opening(subject), incident);
  const finding = { detail: `it still goes on, for ${showDuration(Math.max(0, now.at - incident.startedAt))}: ${detail}`, ...rest };
  return { incident: reminded, alert: buildAlert('reminder', reminded, finding, { now, dependents }) };
}

/** A message that comes later than it would have says why. */
export function withHeld(finding: Finding, incident: Incident | undefined): Finding {
  if (incident?.heldBy === undefined) return finding;
  return { ...finding, facts: [...(finding.facts ?? []), ['Held back', { code: 'heldBy', by: incident.heldBy }]] };
}
