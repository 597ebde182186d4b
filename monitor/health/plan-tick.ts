import { decideAlert, type AlertDecision } from './alert-policy.ts';
import { alertId, type Alert, type Dependent } from '../model/alert.ts';
import { incidentId, type Incident, type TickCommit } from '../model/incident.ts';
import type { Health, Moment, ProbeResult, Thresholds } from '../model/look.ts';
import { parentHold } from './dependencies.ts';
import { foldResult, statusOf } from './health-state.ts';

/** What the rules need to know of one target. */
export type TargetRules = {
  readonly name: string;
  readonly dependsOn: readonly string[];
  readonly thresholds: Thresholds;
  /** Time it gets to follow once a parent that explained its outage is back, in ms. */
  readonly graceMs: number;
};

/** Everything the rules remember: health and open incident by target. */
export type WatchState = {
  readonly health: Readonly<Record<string, Health>>;
  readonly incidents: Readonly<Record<string, Incident>>;
};

export type Decided = { readonly probe: string; readonly decision: AlertDecision };

export type TickPlan = {
  /** The state once `commit` is in the store; until then the old one holds. */
  readonly state: WatchState;
  readonly commit: TickCommit;
  readonly decisions: readonly Decided[];
};

/**
 * Everything that follows from one look at one target:
 * 1. the result is folded into its health;
 * 2. each target is judged anew, since this one may be a parent that held others back;
 * 3. incidents open, fire, become suppressed or end, and the alerts that tell of it are written down.
 * Pure: the caller commits the plan, then takes over its state.
 * @param now the moment of the decision, that is the end of the look
 */
export function planTick(
  rules: readonly TargetRules[],
  before: WatchState,
  look: { readonly probe: string; readonly result: ProbeResult; readonly now: Moment },
): TickPlan {
  const target = rules.find(({ name }) => name === look.probe);
  const previous = before.health[look.probe];
  if (!target || !previous) throw new Error(`no target is named ${look.probe}`);
  const folded = foldResult(previous, look.result, target.thresholds);
  const health = { ...before.health, [target.name]: folded };
  const steps = rules.map((rule) => judge(rule, rules, { health, incidents: before.incidents }, look.now));
  const incidents = { ...before.incidents };
  for (const { incident, probe } of steps) {
    if (incident?.endedAt !== undefined) delete incidents[probe];
    else if (incident) incidents[probe] = incident;
  }
  return {
    state: { health, incidents },
    commit: {
      health: [
        {
          probe: target.name,
          verdict: folded.verdict,
          since: folded.since.at,
          checkedAt: look.result.at,
          latencyMs: look.result.latencyMs,
          detail: look.result.detail,
        },
      ],
      incidents: steps.flatMap(({ incident }) => (incident ? [incident] : [])),
      alerts: steps.flatMap(({ alert }) => (alert ? [alert] : [])),
    },
    decisions: steps.map(({ probe, decision }) => ({ probe, decision })),
  };
}

type Step = {
  readonly probe: string;
  readonly decision: AlertDecision;
  /** The incident as it is from now on; undefined when nothing changed. */
  readonly incident?: Incident;
  readonly alert?: Alert;
};

function judge(rule: TargetRules, rules: readonly TargetRules[], state: WatchState, now: Moment): Step {
  const health = healthOf(state, rule.name);
  const incident = state.incidents[rule.name];
  const parents = rule.dependsOn.map((name) => ({ name, health: healthOf(state, name) }));
  const hold = parentHold({ health, suppressedBy: incident?.suppressedBy, graceMs: rule.graceMs }, parents, now.clockMs);
  const decision = decideAlert(health.verdict, incident && { ...incident, isFiring: incident.firedAt !== undefined }, hold);
  const step = { probe: rule.name, decision };
  if (decision.action === 'fire') {
    const fired = { ...(incident ?? openIncident(rule.name, health, now)), firedAt: now.at, lastToldAt: now.at };
    return { ...step, incident: fired, alert: buildAlert('firing', fired, dependentsOf(rule.name, rules, state), now) };
  }
  if (decision.action === 'resolve') {
    const ended = endIncident(incident, health);
    return { ...step, incident: ended, alert: buildAlert('resolved', { ...ended, detail: health.last?.detail ?? '' }, [], now) };
  }
  if (decision.action === 'end_quietly') return { ...step, incident: endIncident(incident, health) };
  if (health.verdict !== 'down' || incident?.firedAt !== undefined) return step;
  const suppressedBy = decision.reason === 'parent_down' ? decision.parent : incident?.suppressedBy;
  if (incident && incident.suppressedBy === suppressedBy) return step;
  return { ...step, incident: { ...(incident ?? openIncident(rule.name, health, now)), suppressedBy } };
}

function openIncident(probe: string, health: Health, now: Moment): Incident {
  const startedAt = health.failingSince?.at ?? now.at;
  return {
    id: incidentId(probe, startedAt),
    kind: 'down',
    probe,
    startedAt,
    detectedAt: now.at,
    detail: health.last?.detail ?? '',
    firedAt: undefined,
    reminders: 0,
    lastToldAt: undefined,
    suppressedBy: undefined,
    endedAt: undefined,
  };
}

/** The message that tells of an incident as it is now. */
export function buildAlert(event: 'firing' | 'resolved', incident: Incident, dependents: readonly Dependent[], now: Moment): Alert {
  return {
    id: alertId(incident.id, event),
    event,
    incidentId: incident.id,
    probe: incident.probe,
    detail: incident.detail,
    startedAt: new Date(incident.startedAt).toISOString(),
    decidedAt: new Date(now.at).toISOString(),
    ...(incident.endedAt === undefined ? {} : { endedAt: new Date(incident.endedAt).toISOString() }),
    dependents,
  };
}

/** A dependent below its threshold is told as down: its own message is held back, and this one speaks for it. */
function dependentsOf(parent: string, rules: readonly TargetRules[], state: WatchState): Dependent[] {
  return rules
    .filter(({ dependsOn }) => dependsOn.includes(parent))
    .map(({ name }) => ({ name, health: healthOf(state, name) }))
    .map(({ name, health }) => ({ name, status: health.failures > 0 ? 'down' : statusOf(health) }));
}

/** The clock of the machine may have been set back meanwhile; an outage never ends before it began. */
function endIncident(incident: Incident | undefined, health: Health): Incident {
  if (!incident) throw new Error('an outage without an incident cannot end');
  return { ...incident, endedAt: Math.max(incident.startedAt, health.since.at) };
}

function healthOf(state: WatchState, name: string): Health {
  const health = state.health[name];
  if (!health) throw new Error(`no target is named ${name}`);
  return health;
}
