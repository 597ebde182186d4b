import { decideAlert, type AlertDecision } from './alert-policy.ts';
import type { Alert, Dependent } from '../model/alert.ts';
import { incidentId, type Incident, type IncidentKind, type TickCommit } from '../model/incident.ts';
import type { Health, Moment, ProbeResult } from '../model/look.ts';
import { quietLabel, type Quiet, type TimelineEntry } from '../model/quiet.ts';
import { countTurns, isFlapping } from './flap.ts';
import { foldResult, statusOf } from './health-state.ts';
import { holdOf, type Parent } from './holds.ts';
import type { TargetRules } from './target.ts';
import { tallyBetween } from './tally.ts';
import { buildAlert, remind, withHeld } from './tell.ts';
import { troubles, type Subject, type Trouble } from './troubles.ts';

/** Everything the rules remember: health by target, and what is open. */
export type WatchState = {
  readonly health: Readonly<Record<string, Health>>;
  readonly incidents: readonly Incident[];
};

export type Decided = { readonly probe: string; readonly kind: IncidentKind; readonly decision: AlertDecision };

export type TickPlan = {
  /** The state once `commit` is in the store; until then the old one holds. */
  readonly state: WatchState;
  readonly commit: TickCommit;
  readonly decisions: readonly Decided[];
};

/**
 * Everything that follows from one look at one target:
 * 1. the result is folded into its health;
 * 2. each target is judged anew, since this one may be a parent that held others back: does it come and go, is it down,
 *    unknown for too long, degraded for too long;
 * 3. incidents open, are told, become suppressed or end, and the alerts that tell of it are written down.
 * Pure: the caller commits the plan, then takes over its state.
 * @param look with `now`, the moment of the decision, that is the end of the look, `quietOf`, the silence or planned work of a target, and
 *   `isTaken`, whether an incident of this id is on record
 */
export function planTick(
  rules: readonly TargetRules[],
  before: WatchState,
  look: { readonly probe: string; readonly result: ProbeResult; readonly now: Moment } & Partial<Pick<View, 'quietOf' | 'isTaken'>>,
): TickPlan {
  const target = rules.find(({ name }) => name === look.probe);
  if (!target) throw new Error(`no target is named ${look.probe}`);
  const folded = foldResult(healthOf(before, target.name), look.result, target.thresholds);
  const state = { health: { ...before.health, [target.name]: folded }, incidents: before.incidents };
  const flapping = rules.filter((each) =>
    isFlapping(healthOf(state, each.name), openIncident(state, each.name, 'flapping') !== undefined, each.flap),
  );
  const view: View = {
    ...state,
    rules,
    flapping: new Set(flapping.map(({ name }) => name)),
    turned: folded.turnsMs === healthOf(before, target.name).turnsMs ? undefined : target.name,
    now: look.now,
    quietOf: look.quietOf ?? (() => undefined),
    isTaken: look.isTaken ?? (() => false),
  };
  const steps = rules.flatMap((each) => troubles.map((trouble) => judge(trouble, each, view)));
  const changed = steps.flatMap(({ incident }) => incident ?? []);
  const untouched = before.incidents.filter(({ id }) => changed.every((incident) => incident.id !== id));
  return {
    state: { health: state.health, incidents: [...untouched, ...changed.filter(({ endedAt }) => endedAt === undefined)] },
    commit: {
      health: [storedHealth(target.name, folded)],
      incidents: changed,
      alerts: steps.flatMap(({ alert }) => alert ?? []),
      timeline: heldAnew(before, changed, look.now),
      tallies: tallyBetween(target.name, healthOf(before, target.name), look.result, target.graceMs),
    },
    decisions: steps.map(({ probe, kind, decision }) => ({ probe, kind, decision })),
  };
}

/** What a silence or planned work begins to keep back. */
function heldAnew({ incidents }: WatchState, changed: readonly Incident[], now: Moment): TimelineEntry[] {
  return changed
    .filter(({ id, heldBy }) => heldBy !== undefined && incidents.find((one) => one.id === id)?.heldBy === undefined)
    .map(({ id, probe, heldBy, detail }) => ({ at: now.at, event: 'held', probe, incidentId: id, by: heldBy ?? '', detail }));
}

function storedHealth(probe: string, { verdict, since, recent }: Health): TickCommit['health'][number] {
  const last = recent.at(-1);
  return { probe, verdict, since: since.at, checkedAt: last?.at ?? 0, latencyMs: last?.latencyMs ?? 0, detail: last?.detail ?? '' };
}

/** All targets at the moment of the decision. */
type View = WatchState & {
  readonly rules: readonly TargetRules[];
  readonly flapping: ReadonlySet<string>;
  /** The target that this very look saw go down or come back. */
  readonly turned: string | undefined;
  readonly now: Moment;
  readonly quietOf: (target: string) => Quiet | undefined;
  readonly isTaken: (id: string) => boolean;
};

type Step = Decided & {
  /** The incident as it is from now on; undefined when nothing changed. */
  readonly incident?: Incident;
  readonly alert?: Alert;
};

function judge(trouble: Trouble, rules: TargetRules, view: View): Step {
  const { kind } = trouble;
  const { now } = view;
  const open = openIncident(view, rules.name, kind);
  const isOpen = open !== undefined;
  const health = healthOf(view, rules.name);
  const turns = countTurns(health, open?.turns, rules.flap, { hasTurned: view.turned === rules.name, clockMs: now.clockMs });
  const incident = kind === 'flapping' && open ? { ...open, turns } : open;
  const subject = { rules, health, isFlapping: view.flapping.has(rules.name), isOpen, turns, now };
  const isOn = trouble.isOn(subject);
  // Nearly always: every look judges each kind of trouble of each target.
  if (!isOn && !incident) return { probe: rules.name, kind, decision: { action: 'hold', reason: 'no_trouble' } };
  const parents = parentsOf(rules, kind, view);
  const { graceMs, patience } = rules;
  const quiet = view.quietOf(rules.name);
  const question = { ...subject, kind, incident, parents, graceMs, startGraceMs: patience.startGraceMs, quiet, clockMs: now.clockMs };
  const hold = isOn ? holdOf(question) : undefined;
  // What no look of this process has shown is not told again.
  const isReminded = trouble.closes !== undefined && subject.health.recent.length > 0;
  const decision = decideAlert(isOn, incident, hold, { remindAfterMs: isReminded ? patience.remindAfterMs : undefined, now: now.at });
  const step = { probe: rules.name, kind, decision };
  if (decision.action === 'fire') {
    const fired = { ...(incident ?? beginIncident(trouble, subject, view)), firedAt: now.at, lastToldAt: now.at, heldBy: undefined };
    const finding = withHeld(trouble.opening(subject), incident);
    return {
      ...step,
      incident: fired,
      alert: buildAlert(trouble.opens, fired, finding, { now, dependents: dependentsOf(rules.name, view) }),
    };
  }
  if (decision.action === 'remind' && incident) return { ...step, ...remind(trouble, incident, subject, dependentsOf(rules.name, view)) };
  if (!isOn && incident) {
    const ended = endIncident(incident, subject);
    if (decision.action !== 'resolve' || !trouble.closes) return { ...step, incident: ended };
    return { ...step, incident: ended, alert: buildAlert(trouble.closes, ended, trouble.closing(subject), { now }) };
  }
  if (!isOn) return step;
  const explains = incident?.firedAt === undefined && (hold?.reason === 'parent_down' || hold?.reason === 'parent_flapping');
  const suppressedBy = explains ? hold.parent : incident?.suppressedBy;
  const heldBy = quiet ? quietLabel(quiet) : incident?.heldBy;
  if (incident && incident.suppressedBy === suppressedBy && incident.heldBy === heldBy && incident.turns === open?.turns) return step;
  return { ...step, incident: { ...(incident ?? beginIncident(trouble, subject, view)), suppressedBy, heldBy } };
}

/** Enough to see how it began; they stand in the store with the incident. */
const looksKept = 10;

function beginIncident(trouble: Trouble, subject: Subject, { isTaken }: View): Incident {
  const probe = subject.rules.name;
  const startedAt = trouble.since(subject);
  return {
    id: incidentId(probe, startedAt, trouble.kind, isTaken),
    kind: trouble.kind,
    probe,
    startedAt,
    detectedAt: subject.now.at,
    detail: trouble.opening(subject).detail,
    firedAt: undefined,
    reminders: 0,
    lastToldAt: undefined,
    suppressedBy: undefined,
    endedAt: undefined,
    turns: trouble.kind === 'flapping' ? subject.turns : undefined,
    looks: subject.health.recent.slice(-looksKept).map(({ at, outcome, latencyMs, detail }) => ({ at, outcome, latencyMs, detail })),
  };
}

/** The clock of the machine may have been set back meanwhile; nothing ends before it began. */
function endIncident(incident: Incident, { health, now }: Subject): Incident {
  return { ...incident, endedAt: Math.max(incident.startedAt, health.conclusiveAt?.at ?? now.at) };
}

/** A warning also waits for those whose outage only degrades the target. */
function parentsOf({ dependsOn, degradedBy }: TargetRules, kind: IncidentKind, view: View): Parent[][] {
  const groups = kind === 'degraded' ? [...dependsOn, ...degradedBy.map((name) => [name])] : dependsOn;
  return groups.map((group) => group.map((name) => ({ name, health: healthOf(view, name), isFlapping: view.flapping.has(name) })));
}

/** A dependent below its threshold is told as down: its own message is held back, and this one speaks for it. */
function dependentsOf(parent: string, view: View): Dependent[] {
  return view.rules
    .filter(({ dependsOn, degradedBy }) => [...dependsOn.flat(), ...degradedBy].includes(parent))
    .map(({ name }) => ({ name, health: healthOf(view, name) }))
    .map(({ name, health }) => ({ name, status: health.failures > 0 ? 'down' : statusOf(health) }));
}

function openIncident({ incidents }: WatchState, probe: string, kind: IncidentKind): Incident | undefined {
  return incidents.find((incident) => incident.probe === probe && incident.kind === kind);
}

function healthOf(state: WatchState, name: string): Health {
  const health = state.health[name];
  if (!health) throw new Error(`no target is named ${name}`);
  return health;
}
