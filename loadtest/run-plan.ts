import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { playPhase } from './generate/play-phase.ts';
import { gatherEntries, type Entry } from './measurement/measurement-file.ts';
import type { MachineSample, Phase, Slice } from './measurement/measurement.ts';
import { createAdminReader } from './observe/admin-reader.ts';
import { calibrate } from './observe/calibrate.ts';
import { createDatabaseReader } from './observe/database-reader.ts';
import { sampleServer, type Observers } from './observe/sample-server.ts';
import { startNullServer, watchMachine, type NullServer } from './observe/watch-machine.ts';
import { waitForRest } from './observe/target-at-rest.ts';
import { followUp, phasesOf, type PlanChanges } from './plans/phase-of.ts';
import type { Plan } from './plans/plan.ts';
import { readHead } from './run-head.ts';
import type { Stage } from './scenarios/scenario.ts';
import { createSetUpClient, problemOf, type SetUpClient } from './targets/set-up.ts';
import type { Target } from './targets/target.ts';
import { isLoopback } from './targets/target-guard.ts';

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
  const setUp = createSetUpClient(target.origin, hooks.signal);
  const soFar = plan.course && gatherEntries();
  const write = (entry: Entry): void => {
    soFar?.take(entry);
    hooks.write(entry);
  };
  try {
    write({ kind: 'head', head: await readHead(plan, changes, target, { runId, observers }) });
    const phases = phasesOf(plan, changes);
    const stage = await prepare(plan, { runId, target, phases, changes, setUp }, { ...hooks, write });
    const course = (): Phase | undefined => followUp(plan, changes, soFar?.soFar());
    if (stage) await playOn(stage, { plan, phases, course, changes, target, stage, observers, setUp }, { ...hooks, write });
  } finally {
    await Promise.all([observers.admin.close(), observers.database.close(), setUp.close()]);
  }
}

type Preparing = Pick<Run, 'target' | 'phases' | 'changes' | 'setUp'> & { readonly runId: string };

/** @returns undefined when the target could not be made ready */
async function prepare(
  { scenario }: Plan,
  { runId, target, phases, changes, setUp }: Preparing,
  hooks: RunHooks,
): Promise<Stage | undefined> {
  const users = phases[0]?.load.users ?? 0;
  hooks.onStep(`registering ${users} users`);
  return orProblem(setUp, [], hooks, async () => {
    const stage = await scenario.prepare(target, { runId, users, mix: changes.mix, http: setUp });
    hooks.write({ kind: 'setUp', setUp: { ...setUp.facts(), problem: null, disturbed: stage.disturbed } });
    return stage;
  });
}

/** @returns undefined when the target could not be made ready, which is then written down */
async function orProblem<T>(
  setUp: SetUpClient,
  disturbed: readonly string[],
  hooks: RunHooks,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (err) {
    const problem = problemOf(err);
    if (problem === undefined || hooks.signal.aborted) throw err;
    hooks.write({ kind: 'setUp', setUp: { ...setUp.facts(), problem, disturbed } });
    return undefined;
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
  /** Whatever is asked of the target besides the load goes through it, and is counted. */
  readonly setUp: SetUpClient;
  readonly nullServer: NullServer;
};

async function measure(run: Run, hooks: RunHooks): Promise<void> {
  const { plan, phases, changes, target, stage, observers, nullServer } = run;
  const { crowdFile } = plan.scenario;
  const common = { seed: changes.seed, crowdFile, facts: stage.facts, signal: hooks.signal };
  const [first] = phases;
  const isCalibrated = first !== undefined && plan.calibrates !== false;
  if (isCalibrated) hooks.onStep('calibrating the client on a server that does nothing');
  const calibration = isCalibrated ? await calibrate({ ...common, phase: first, users: stage.users }, nullServer.origin) : null;
  const coLocated = isLoopback(new URL(target.origin).hostname.replace(/^\[|\]$/g, ''));
  hooks.write({ kind: 'client', client: { calibration, coLocated, cores: availableParallelism() } });
  const [servedBefore, askedBefore] = [await observers.admin.requestsServed(), run.setUp.facts().requests];
  await playPhases(run, common, hooks);
  const enrolling = run.setUp.facts().requests - askedBefore;
  hooks.onStep('waiting for rest and reading the books');
  hooks.write({ kind: 'rest', rest: await waitForRest(target, observers, servedBefore && servedBefore + enrolling) });
  hooks.write({ kind: 'books', books: await stage.readBooks() });
}

type Common = Pick<Parameters<typeof playPhase>[0], 'seed' | 'crowdFile' | 'facts'> & { readonly signal: AbortSignal };

type Cast = { readonly phase: Phase; readonly users: readonly unknown[]; readonly firstUser: number };

/** A plan's own phases, and then what follows from what they showed. */
function* inTurn({ phases, course }: Run): Generator<Phase, void> {
  yield* phases;
  for (let phase = course(); phase; phase = course()) yield phase;
}

/**
 * What is played and by whom: each phase by users who have done nothing yet. The same ones would send the requests and the keys
 * of the phase before once more, and know nothing of what they did there.
 */
async function* casts(run: Run, hooks: RunHooks): AsyncGenerator<Cast, void> {
  const { stage, setUp } = run;
  const enroll = (count: number): Promise<readonly unknown[] | undefined> => {
    hooks.onStep(`registering ${count} users`);
    return orProblem(setUp, stage.disturbed, hooks, () => stage.enroll(count));
  };
  let firstUser = 0;
  for (const phase of inTurn(run)) {
    const users = firstUser === 0 ? stage.users : await enroll(phase.load.users);
    if (users === undefined) return;
    yield { phase, users, firstUser };
    firstUser += users.length;
  }
}

async function playPhases(run: Run, common: Common, hooks: RunHooks): Promise<void> {
  const { target, observers, nullServer } = run;
  let startSecond = 0;
  for await (const cast of casts(run, hooks)) {
    hooks.onPhase?.(cast.phase);
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
    const played = await playPhase({
      ...common,
      ...cast,
      origin: target.origin,
      startSecond,
      onSlices,
      onEvents,
    }).finally(() => stop.abort());
    await watching;
    hooks.signal.throwIfAborted();
    hooks.write({ kind: 'phase', phase: played });
    startSecond = lastSecond + 1;
  }
}
