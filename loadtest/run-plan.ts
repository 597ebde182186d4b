import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { playPhase } from './generate/play-phase.ts';
import { gatherEntries, type Entry } from './measurement/measurement-file.ts';
import { highestRate, usersFor } from './generate/arrivals.ts';
import type { Load, MachineSample, Measurement, MeasurementHead, Phase, RateStage, Slice } from './measurement/measurement.ts';
import { createAdminReader } from './observe/admin-reader.ts';
import { calibrate } from './observe/calibrate.ts';
import { createDatabaseReader } from './observe/database-reader.ts';
import { sampleServer, type Observers } from './observe/sample-server.ts';
import { startNullServer, watchMachine, type NullServer } from './observe/watch-machine.ts';
import { waitForRest } from './observe/target-at-rest.ts';
import type { Plan, PlannedPhase } from './plans/plan.ts';
import type { Stage } from './scenarios/scenario.ts';
import { createSetUpClient, problemOf } from './targets/set-up.ts';
import type { Target } from './targets/target.ts';
import { isLoopback } from './targets/target-guard.ts';

/** What a command line may change of a plan. */
export type PlanChanges = {
  readonly users: number | undefined;
  /** 0–0: users never pause. */
  readonly thinkMs: readonly [number, number] | undefined;
  /** Requests a second at the beginning and at the end, whatever the answers: the load becomes an open one. */
  readonly rate?: readonly [number, number] | undefined;
  readonly durationMs: number | undefined;
  readonly seed: number;
  readonly mix: readonly string[];
};

export type RunHooks = {
  /** Takes down what happens, as it happens. */
  readonly write: (entry: Entry) => void;
  /** Says what is being done now. */
  readonly onStep: (step: string) => void;
  readonly onPhase?: (phase: Phase) => void;
  readonly onSecond: (second: number, slices: readonly Slice[]) => void;
  /** Cancels the run; what was set up is cleaned up all the same. */
  readonly signal: AbortSignal;
};

/**
 * Plays a plan against a target and measures: set-up, calibration, load with the server observed beside it, a look at the
 * books, clean-up. Judging is for others.
 * A target that cannot be made ready is a finding too: then the measurement says so and ends there.
 * @throws {ConfigError} when the command's settings are at fault; the signal's reason when canceled
 */
export async function runPlan(plan: Plan, changes: PlanChanges, target: Target, hooks: RunHooks): Promise<void> {
  const runId = `lt-${randomBytes(5).toString('hex')}`;
  const observers: Observers = { admin: createAdminReader(target), database: await createDatabaseReader(target) };
  const soFar = plan.course && gatherEntries();
  const write = (entry: Entry): void => {
    soFar?.take(entry);
    hooks.write(entry);
  };
  try {
    write({ kind: 'head', head: headOf(plan, changes, target, { runId, effective: (await observers.admin.config()) ?? null }) });
    const phases = phasesOf(plan, changes);
    const stage = await prepare(plan, { runId, target, phases, changes }, { ...hooks, write });
    const course = (): Phase | undefined => followUp(plan, changes, soFar?.soFar());
    if (stage) await playOn(stage, { plan, phases, course, changes, target, stage, observers }, { ...hooks, write });
  } finally {
    await Promise.all([observers.admin.close(), observers.database.close()]);
  }
}

/** The phases of a plan as they will be played. What a command line says of users is meant of the people where a plan has some. */
export const phasesOf = (plan: Plan, changes: PlanChanges): Phase[] =>
  plan.phases.map((phase) => phaseOf(phase, plan.people ? withoutPeople(changes) : changes));

const withoutPeople = (changes: PlanChanges): PlanChanges => ({ ...changes, users: undefined, thinkMs: undefined });

function followUp(plan: Plan, changes: PlanChanges, soFar: Measurement | undefined): Phase | undefined {
  const planned = soFar && plan.course?.(soFar);
  return planned && phaseOf(planned, withoutPeople(changes));
}

type Preparing = Pick<Run, 'target' | 'phases' | 'changes'> & { readonly runId: string };

/** @returns undefined when the target could not be made ready */
async function prepare({ scenario }: Plan, { runId, target, phases, changes }: Preparing, hooks: RunHooks): Promise<Stage | undefined> {
  const users = Math.max(...phases.map(({ load }) => load.users));
  hooks.onStep(`registering ${users} users`);
  const http = createSetUpClient(target.origin, hooks.signal);
  try {
    const stage = await scenario.prepare(target, { runId, users, mix: changes.mix, http });
    hooks.write({ kind: 'setUp', setUp: { ...http.facts(), problem: null, disturbed: stage.disturbed } });
    return stage;
  } catch (err) {
    const problem = problemOf(err);
    if (problem === undefined || hooks.signal.aborted) throw err;
    hooks.write({ kind: 'setUp', setUp: { ...http.facts(), problem, disturbed: [] } });
    return undefined;
  } finally {
    await http.close();
  }
}

/** Measures, and cleans up whatever happens. */
async function playOn(stage: Stage, run: Omit<Run, 'nullServer'>, hooks: RunHooks): Promise<void> {
  try {
    const nullServer = await startNullServer(run.plan.scenario.nullServerFile);
    await measure({ ...run, nullServer }, hooks).finally(nullServer.stop);
  } finally {
    hooks.onStep('cleaning up');
    hooks.write({ kind: 'left', left: await stage.cleanUp() });
  }
}

type Run = {
  readonly plan: Plan;
  readonly phases: readonly Phase[];
  /** What is played when they are over; undefined: nothing more. */
  readonly course: () => Phase | undefined;
  readonly changes: PlanChanges;
  readonly target: Target;
  readonly stage: Stage;
  readonly observers: Observers;
  readonly nullServer: NullServer;
};

async function measure(run: Run, hooks: RunHooks): Promise<void> {
  const { plan, phases, changes, target, stage, observers, nullServer } = run;
  const { crowdFile } = plan.scenario;
  const common = { seed: changes.seed, crowdFile, facts: stage.facts, signal: hooks.signal };
  hooks.onStep('calibrating the client on a server that does nothing');
  const [first] = phases;
  const calibration = first
    ? await calibrate({ ...common, phase: first, users: stage.users.slice(0, first.load.users) }, nullServer.origin)
    : null;
  const coLocated = isLoopback(new URL(target.origin).hostname.replace(/^\[|\]$/g, ''));
  hooks.write({ kind: 'client', client: { calibration, coLocated, cores: availableParallelism() } });
  const servedBefore = await observers.admin.requestsServed();
  await playPhases(run, common, hooks);
  hooks.onStep('waiting for rest and reading the books');
  hooks.write({ kind: 'rest', rest: await waitForRest(target, observers, servedBefore) });
  hooks.write({ kind: 'books', books: await stage.readBooks() });
}

type Common = Pick<Parameters<typeof playPhase>[0], 'seed' | 'crowdFile' | 'facts'> & { readonly signal: AbortSignal };

async function playPhases({ phases, course, target, stage, observers, nullServer }: Run, common: Common, hooks: RunHooks): Promise<void> {
  let startSecond = 0;
  const queue = phases.values();
  for (let phase = queue.next().value ?? course(); phase; phase = queue.next().value ?? course()) {
    hooks.onPhase?.(phase);
    let lastSecond = startSecond;
    const onSlices = (slices: readonly Slice[], second: number | undefined): void => {
      lastSecond = Math.max(lastSecond, ...slices.map((slice) => slice.second));
      if (slices.length > 0) hooks.write({ kind: 'slices', slices });
      if (second !== undefined) hooks.onSecond(second, slices);
    };
    const onEvents = (events: readonly unknown[]): void => {
      if (events.length > 0) hooks.write({ kind: 'events', events });
    };
    const stop = new AbortController();
    const { pid: targetPid } = target;
    const onMachine = (machine: MachineSample): void => hooks.write({ kind: 'machine', machine });
    const watching = Promise.all([
      sampleServer(observers, startSecond, (sample) => hooks.write({ kind: 'sample', sample }), stop.signal),
      watchMachine({ nullServer, targetPid, startSecond, onSample: onMachine }, stop.signal),
    ]);
    const users = stage.users.slice(0, phase.load.users);
    const played = await playPhase({ ...common, origin: target.origin, phase, startSecond, users, onSlices, onEvents }).finally(() =>
      stop.abort(),
    );
    await watching;
    hooks.signal.throwIfAborted();
    hooks.write({ kind: 'phase', phase: played });
    startSecond = lastSecond + 1;
  }
}

type Circumstances = { readonly runId: string; readonly effective: MeasurementHead['target']['effective'] };

function headOf(
  plan: Plan,
  { seed, mix, users, thinkMs }: PlanChanges,
  { origin, kind }: Target,
  { runId, effective }: Circumstances,
): MeasurementHead {
  return {
    version: 2,
    plan: plan.name,
    scenario: plan.scenario.name,
    runId,
    startedAt: new Date().toISOString(),
    target: { origin, kind, effective },
    seed,
    mix,
    budget: plan.budget,
    ...(plan.people && { people: { users: users ?? plan.people.users, thinkMs: thinkMs ?? plan.people.thinkMs } }),
  };
}

/** One process drives some hundred users who pause with ease; without pauses it takes more to be faster than the API. */
const usersAProcess = 500;
const arrivalsAProcess = 500;
const saturatingProcesses = 2;
/** Pauses of users are longer than warm-up only where someone asks for it; then that is waited for, up to this. */
const maxExtraWarmUpMs = 10_000;

/** A phase as it will be played: a plan's, after changes. Pure but for the number of cores. */
export function phaseOf(planned: PlannedPhase, changes: PlanChanges, cores = availableParallelism()): Phase {
  const durationMs = changes.durationMs ?? planned.durationMs;
  const load = loadOf(planned.load, changes, durationMs);
  const thinkMs = load.kind === 'closed' ? load.thinkMs[1] : 0;
  return {
    ...planned,
    load,
    warmUpMs: Math.max(planned.warmUpMs, Math.min(maxExtraWarmUpMs, thinkMs)),
    durationMs,
    processes: Math.min(processesFor(load), load.users, Math.max(1, cores)),
  };
}

function processesFor(load: Load): number {
  if (load.kind === 'saturating') return saturatingProcesses;
  return Math.ceil(load.kind === 'closed' ? load.users / usersAProcess : highestRate(load) / arrivalsAProcess);
}

function loadOf(load: Load, { users, thinkMs: changed, rate }: PlanChanges, durationMs: number): Load {
  if (rate !== undefined) {
    const [fromPerSecond, toPerSecond] = rate;
    const stages = [{ fromPerSecond, toPerSecond, durationMs }];
    return { kind: 'open', users: users ?? Math.max(load.users, usersFor(Math.max(...rate))), spacing: 'poisson', stages };
  }
  const count = users ?? load.users;
  if (load.kind === 'open') return { ...load, users: count, stages: stretch(load.stages, durationMs) };
  const thinkMs = changed ?? (load.kind === 'closed' ? load.thinkMs : undefined);
  return thinkMs === undefined || thinkMs[1] === 0 ? { kind: 'saturating', users: count } : { kind: 'closed', users: count, thinkMs };
}

/** The same course of rates over another time. */
function stretch(stages: readonly RateStage[], durationMs: number): RateStage[] {
  const wholeMs = stages.reduce((sum, stage) => sum + stage.durationMs, 0);
  return stages.map((stage) => ({ ...stage, durationMs: (stage.durationMs / wholeMs) * durationMs }));
}
