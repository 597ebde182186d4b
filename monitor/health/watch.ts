import type { Logger } from '#lib/logger.ts';
import type { Probe } from '../probes/probe.ts';
import type { Incident, TickCommit } from '../model/incident.ts';
import type { Clock, Health, HealthStatus, ProbeResult } from '../model/look.ts';
import type { MonitorStore } from '../store/store.ts';
import { runProbe } from './run-probe.ts';
import { createWakeup, type Wakeup } from './wakeup.ts';
import { detectionBoundMs, recoveryBoundMs, type Cadence } from './detection-bound.ts';
import { inheritedHealth, initialHealth, isUnsettled, statusOf } from './health-state.ts';
import { buildAlert, planTick, type TargetRules, type WatchState } from './plan-tick.ts';

/** One thing that is watched. */
export type Target = {
  readonly name: string;
  readonly kind: string;
  readonly dependsOn: readonly string[];
  readonly cadence: Cadence;
  readonly probe: Probe;
};

export type TargetSnapshot = {
  readonly name: string;
  readonly kind: string;
  readonly dependsOn: readonly string[];
  readonly cadence: Cadence;
  readonly status: HealthStatus;
  readonly health: Health;
  readonly incident: Incident | undefined;
  readonly detectionBoundMs: number;
  /** Oldest first; only of this process. */
  readonly recent: readonly ProbeResult[];
};

export type Watch = {
  /** Looks at every target in its rhythm until the signal fires. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly snapshot: () => readonly TargetSnapshot[];
};

export type WatchDeps = {
  readonly targets: readonly Target[];
  readonly store: Pick<MonitorStore, 'loadHealth' | 'openIncidents'>;
  /** Records a tick and sees to its alerts. Never throws: a store that takes nothing must not silence the watch. */
  readonly commit: (tick: TickCommit) => void;
  readonly clock: Clock;
  readonly logger: Logger;
};

const recentKept = 60;

/**
 * Watches targets, each in a loop of its own, so that a slow one delays no other.
 * @throws {StoreError} when what an earlier process left cannot be read
 */
export function createWatch(deps: WatchDeps): Watch {
  const rules = deps.targets.map((target) => rulesOf(target));
  const wakeups = new Map(deps.targets.map(({ name }) => [name, createWakeup()]));
  const recent = new Map<string, ProbeResult[]>(deps.targets.map(({ name }) => [name, []]));
  let state = inheritState(deps);

  const look = async (target: Target, signal: AbortSignal): Promise<void> => {
    const result = await runProbe(target.probe, target.cadence.timeoutMs, deps.clock);
    if (signal.aborted) return;
    const shown = recent.get(target.name) ?? [];
    state = record(deps, rules, state, { probe: target.name, result });
    shown.push({ ...result, outcome: state.health[target.name]?.fault === undefined ? result.outcome : 'faulty' });
    if (shown.length > recentKept) shown.shift();
    // Whether a parent explains this failure is asked at once, not at the parent's next turn.
    if (state.health[target.name]?.failures === 1) for (const parent of target.dependsOn) wakeups.get(parent)?.wake();
  };
  return {
    run: async (signal) => {
      const stopped = once(signal);
      await Promise.all(deps.targets.map((target) => lookRegularly(target, wakeups.get(target.name) ?? createWakeup())));

      async function lookRegularly(target: Target, wakeup: Wakeup): Promise<void> {
        while (!signal.aborted) {
          const startedMs = deps.clock().clockMs;
          await Promise.race([look(target, signal), stopped]);
          const health = state.health[target.name];
          const { intervalMs, confirmIntervalMs } = target.cadence;
          const untilNextMs = intervalMs - (deps.clock().clockMs - startedMs);
          await wakeup.wait(health && isUnsettled(health) ? confirmIntervalMs : Math.max(1, untilNextMs), signal);
        }
      }
    },
    snapshot: () => deps.targets.map((target) => snapshotOf(target, deps.targets, state, recent.get(target.name) ?? [])),
  };
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Plans and commits one tick. */
function record(
  deps: WatchDeps,
  rules: readonly TargetRules[],
  state: WatchState,
  look: { readonly probe: string; readonly result: ProbeResult },
): WatchState {
  const plan = planTick(rules, state, { ...look, now: deps.clock() });
  deps.commit(plan.commit);
  reportChanges(deps.logger, state, plan.state, look.probe);
  for (const { id, probe, event } of plan.commit.alerts) {
    const reason = plan.decisions.find((decided) => decided.probe === probe)?.decision.reason;
    deps.logger.warn({ probe, alertId: id, reason }, event === 'firing' ? 'alert fires' : 'alert is resolved');
  }
  return plan.state;
}

function reportChanges(logger: Logger, before: WatchState, after: WatchState, probe: string): void {
  const [was, is] = [before.health[probe], after.health[probe]];
  if (!was || !is || statusOf(was) === statusOf(is)) return;
  logger.info({ probe, from: statusOf(was), to: statusOf(is), detail: is.last?.detail }, 'health has changed');
}

/** Verdicts and open incidents of the process before. An incident whose target is no longer watched is ended and told. */
function inheritState(deps: WatchDeps): WatchState {
  const now = deps.clock();
  const stored = new Map(deps.store.loadHealth().map((health) => [health.probe, health]));
  const health = deps.targets.map(({ name }) => [name, inheritedHealth(stored.get(name), now)] as const);
  const open = deps.store.openIncidents().filter(({ kind }) => kind !== 'self');
  const incidents = open.filter(({ probe }) => deps.targets.some(({ name }) => name === probe));
  for (const orphan of open.filter((incident) => !incidents.includes(incident))) {
    const ended = { ...orphan, endedAt: Math.max(orphan.startedAt, now.at) };
    const alert = buildAlert('resolved', { ...ended, detail: 'it is no longer watched' }, [], now);
    deps.commit({ health: [], incidents: [ended], alerts: orphan.firedAt === undefined ? [] : [alert] });
  }
  return { health: Object.fromEntries(health), incidents: Object.fromEntries(incidents.map((incident) => [incident.probe, incident])) };
}

function rulesOf(target: Target): TargetRules {
  const { name, dependsOn, cadence } = target;
  return { name, dependsOn, thresholds: cadence, graceMs: recoveryBoundMs(cadence) };
}

function snapshotOf(target: Target, targets: readonly Target[], state: WatchState, recent: readonly ProbeResult[]): TargetSnapshot {
  const { name, kind, dependsOn, cadence } = target;
  const health = state.health[name] ?? initialHealth('none', { at: 0, clockMs: 0 });
  const parents = targets.filter((other) => dependsOn.includes(other.name));
  return {
    name,
    kind,
    dependsOn,
    cadence,
    status: statusOf(health),
    health,
    incident: state.incidents[name],
    detectionBoundMs: detectionBoundMs(
      cadence,
      parents.map((parent) => parent.cadence),
    ),
    recent: [...recent],
  };
}
