import type { Incident, TickCommit } from '../model/incident.ts';
import type { Moment } from '../model/look.ts';
import type { WatchState } from './plan-tick.ts';
import { buildAlert } from './tell.ts';

/** What became of somebody's wish to take an incident on. `unknown`: none of that name goes on. `untold`: nobody was told of it yet. */
export type Acknowledgement =
  | { readonly outcome: 'acknowledged' | 'already'; readonly incidents: readonly Incident[] }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'untold' };

/**
 * Somebody takes on an incident, or all that goes on with a target: everybody is told who, and reminders end until it is over.
 * What begins after that is another incident. Pure.
 */
export function planAcknowledgement(
  state: WatchState,
  { of, by, now }: { readonly of: string; readonly by: string; readonly now: Moment },
): { readonly state: WatchState; readonly commit?: TickCommit; readonly answer: Acknowledgement } {
  const meant = state.incidents.filter(({ id, probe }) => id === of || probe === of);
  const told = meant.filter(({ firedAt }) => firedAt !== undefined);
  if (meant.length === 0) return { state, answer: { outcome: 'unknown' } };
  if (told.length === 0) return { state, answer: { outcome: 'untold' } };
  const open = told.filter(({ acknowledged }) => acknowledged === undefined);
  if (open.length === 0) return { state, answer: { outcome: 'already', incidents: told } };
  const incidents = open.map((incident) => ({ ...incident, acknowledged: { at: now.at, by } }));
  const changed = (incident: Incident): Incident => incidents.find(({ id }) => id === incident.id) ?? incident;
  return {
    state: { ...state, incidents: state.incidents.map(changed) },
    commit: {
      health: [],
      incidents,
      alerts: incidents.map((incident) =>
        buildAlert('acknowledged', incident, { detail: `${by} has taken it on; no more reminders of: ${incident.detail}` }, { now }),
      ),
      timeline: incidents.map(({ id, probe, detail }) => ({ at: now.at, event: 'acknowledged', probe, incidentId: id, by, detail })),
    },
    answer: { outcome: 'acknowledged', incidents: told.map(changed) },
  };
}
