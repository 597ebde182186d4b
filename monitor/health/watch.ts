import { orAborted } from '#lib/abort.ts';
import type { Logger } from '#lib/logger.ts';
import type { Incident, TickCommit } from '../model/incident.ts';
import type { Clock, Health, HealthStatus, Moment, ProbeResult } from '../model/look.ts';
import type { Quiet } from '../model/quiet.ts';
import type { MonitorStore } from '../store/store.ts';
import { planAcknowledgement, type Acknowledgement } from './acknowledge.ts';
import { detectionBoundMs, type Cadence } from './detection-bound.ts';
import type { FlapRules } from './flap.ts';
import { inheritedHealth, initialHealth, isUnsettled, statusOf } from './health-state.ts';
import { planTick, type WatchState } from './plan-tick.ts';
import { runProbe } from './run-probe.ts';
import { rulesOf, type DependsOn, type Target, type TargetRules } from './target.ts';
import { buildAlert } from './tell.ts';
import { troubles } from './troubles.ts';
import { createWakeup, type Wakeup } from './wakeup.ts';

export type TargetSnapshot = {
  readonly name: string;
  readonly kind: string;
  readonly dependsOn: DependsOn;
  readonly isLatencyPublic?: boolean | undefined;
  readonly cadence: Cadence;
  readonly status: HealthStatus;
  readonly health: Health;
  /** What is open. */
  readonly incidents: readonly Incident[];
  /** What keeps its messages back at present. */
  readonly quiet?: Quiet | undefined;
  readonly detectionBoundMs: number;
};

export type Watch = {
  /** Looks at every target in its rhythm until the signal fires. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly snapshot: () => readonly TargetSnapshot[];
  /** What the snapshot says of the status of one target, without the cost of making it. */
  readonly isDown: (target: string) => boolean;
  /** Somebody takes on what goes on. @param of id of an incident, or the name of its target */
  readonly acknowledge: (of: string, by: string) => Acknowledgement;
};

export type WatchDeps = {
  readonly targets: readonly Target[];
  /** Undefined: nobody asks whether a target comes and goes. */
  readonly flap: FlapRules | undefined;
  readonly store: Pick<MonitorStore, 'loadHealth' | 'openIncidents' | 'lastOutageEnds' | 'isTaken'>;
  /** Records a tick and sees to its alerts. Never throws: a store that takes nothing must not silence the watch. */
  readonly commit: (tick: TickCommit) => void;
  /** Told of every look. */
  readonly onLook?: ((probe: string, result: ProbeResult) => void) | undefined;
  readonly firstAnswers: FirstAnswers;
  /** What this process has seen of a target already, as before a reload. */
  readonly carried: (target: string) => Health | undefined;
  /** The silence or planned work of a target. */
  readonly quietOf: (target: string, now: Moment) => Quiet | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Since when the monitor has waited for its targets, over every reload, and the names of those that were up meanwhile. */
export type FirstAnswers = { readonly awaitedSince: Moment; readonly from: Set<string> };

/**
 * Watches targets, each in a loop of its own, so that a slow one delays no other.
 * @throws {StoreError} when what an earlier process left cannot be read
 */
export function createWatch(deps: WatchDeps): Watch {
  const rules = deps.targets.map((target) => rulesOf(target, deps.flap));
  const wakeups = new Map(deps.targets.map(({ name }) => [name, createWakeup()]));
  let state = inheritState(deps);

  const look = async (target: Target, signal: AbortSignal): Promise<void> => {
    const result = await runProbe(target.probe, { timeoutMs: target.cadence.timeoutMs, slowMs: target.patience.slowMs }, deps.clock);
    if (signal.aborted) return;
    deps.onLook?.(target.name, result);
    state = record(deps, rules, state, { probe: target.name, result });
    // Whether a parent explains this failure is asked at once, not at the parent's next turn.
    if (state.health[target.name]?.failures === 1) for (const parent of target.dependsOn.flat()) wakeups.get(parent)?.wake();
  };
  const lookUntilAborted = async (target: Target, signal: AbortSignal): Promise<void> => {
    try {
      await orAborted(look(target, signal), signal);
    } catch (err) {
      if (!signal.aborted) throw err;
    }
  };
  return {
    run: async (signal) => {
      await Promise.all(deps.targets.map((target) => lookRegularly(target, wakeups.get(target.name) ?? createWakeup())));

      async function lookRegularly(target: Target, wakeup: Wakeup): Promise<void> {
        while (!signal.aborted) {
          const startedMs = deps.clock().clockMs;
          await lookUntilAborted(target, signal);
          const health = state.health[target.name];
          const { intervalMs, confirmIntervalMs } = target.cadence;
          const untilNextMs = intervalMs - (deps.clock().clockMs - startedMs);
          // Looks that confirm stay apart, whoever asks: three within a moment would be one.
          if (health && isUnsettled(health)) await createWakeup().wait(confirmIntervalMs, signal);
          else await wakeup.wait(Math.max(1, untilNextMs), signal);
        }
      }
    },
    snapshot: () =>
      deps.targets.map((target) => ({ ...snapshotOf(target, deps.targets, state), quiet: deps.quietOf(target.name, deps.clock()) })),
    isDown: (target) => {
      const health = state.health[target];
      return health !== undefined && statusOf(health) === 'down';
    },
    acknowledge: (of, by) => {
      const plan = planAcknowledgement(state, { of, by, now: deps.clock() });
      if (plan.commit) deps.commit(plan.commit);
      state = plan.state;
      return plan.answer;
    },
  };
}

/** Plans and commits one tick. */
function record(
  deps: WatchDeps,
  rules: readonly TargetRules[],
  state: WatchState,
  look: { readonly probe: string; readonly result: ProbeResult },
): WatchState {
  const now = deps.clock();
  const plan = planTick(rules, state, { ...look, now, quietOf: (target) => deps.quietOf(target, now), isTaken: deps.store.isTaken });
  if (plan.state.health[look.probe]?.awaitedSince === undefined) deps.firstAnswers.from.add(look.probe);
  deps.commit(plan.commit);
  reportChanges(deps.logger, state, plan.state, look.probe);
  for (const { id, probe, event } of plan.commit.alerts) deps.logger.warn({ probe, alertId: id }, `alert: ${event}`);
  return plan.state;
}

function reportChanges(logger: Logger, before: WatchState, after: WatchState, probe: string): void {
  const [was, is] = [before.health[probe], after.health[probe]];
  if (!was || !is || statusOf(was) === statusOf(is)) return;
  logger.info({ probe, from: statusOf(was), to: statusOf(is), detail: is.recent.at(-1)?.detail }, 'health has changed');
}

/** Verdicts and open incidents of the process before. An incident whose target is no longer watched is ended and told. */
function inheritState(deps: WatchDeps): WatchState {
  const now = deps.clock();
  const stored = new Map(deps.store.loadHealth().map((health) => [health.probe, health]));
  const ends = deps.store.lastOutageEnds();
  const open = deps.store.openIncidents().filter(({ kind }) => kind !== 'self');
  const incidents = open.filter(({ probe }) => deps.targets.some(({ name }) => name === probe));
  for (const orphan of open.filter((incident) => !incidents.includes(incident))) endOrphan(deps, orphan, now);
  const health = deps.targets.map(({ name }) => {
    const seen = deps.carried(name);
    if (seen) return [name, seen] as const;
    const wasFlapping = incidents.some(({ kind, probe }) => kind === 'flapping' && probe === name);
    const { awaitedSince, from } = deps.firstAnswers;
    const inherited = inheritedHealth({ health: stored.get(name), wasFlapping, backAt: ends.get(name) }, now);
    return [name, from.has(name) ? inherited : { ...inherited, awaitedSince }] as const;
  });
  return { health: Object.fromEntries(health), incidents };
}

function endOrphan(deps: WatchDeps, orphan: Incident, now: Moment): void {
  const ended = { ...orphan, endedAt: Math.max(orphan.startedAt, now.at) };
  const closes = troubles.find(({ kind }) => kind === orphan.kind)?.closes;
  const isTold = orphan.firedAt !== undefined && closes !== undefined;
  const alerts = isTold ? [buildAlert(closes, ended, { detail: 'it is no longer watched' }, { now })] : [];
  deps.commit({ health: [], incidents: [ended], alerts });
}

function snapshotOf(target: Target, targets: readonly Target[], state: WatchState): TargetSnapshot {
  const { name, kind, dependsOn, isLatencyPublic, cadence } = target;
  const health = state.health[name] ?? initialHealth('none', { at: 0, clockMs: 0 });
  const parents = targets.filter((other) => dependsOn.flat().includes(other.name));
  return {
    name,
    kind,
    dependsOn,
    isLatencyPublic,
    cadence,
    status: statusOf(health),
    health,
    incidents: state.incidents.filter(({ probe }) => probe === name),
    detectionBoundMs: detectionBoundMs(
      cadence,
      parents.map((parent) => parent.cadence),
    ),
  };
}
