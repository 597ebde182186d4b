import { availableParallelism } from 'node:os';
import { runClosedLoad, type ClosedLoad, type ClosedLoadResult } from './generate/closed-load.ts';
import type { Calibration, Measurement, Profile, ServerBooks, ServerSample, Slice } from './measurement/measurement.ts';
import { createAdminReader } from './observe/admin-reader.ts';
import { calibrate } from './observe/calibrate.ts';
import { createDatabaseReader } from './observe/database-reader.ts';
import { measureMachineLoad } from './observe/machine-load.ts';
import { readBooks } from './scenarios/shop/books.ts';
import { sampleServer, type Observers } from './observe/sample-server.ts';
import type { Plan } from './plans/plan.ts';
import { prepareRun, type Preparation } from './prepare-run.ts';
import { createHttpClient } from './targets/http-client.ts';
import { slowQueryShare } from './scenarios/shop/slow-query.ts';
import type { Target } from './targets/target.ts';
import { isLoopback } from './targets/target-guard.ts';
import { removeClients } from './scenarios/shop/clients.ts';

export type RunHooks = {
  /** Says what is being done now. */
  readonly onPhase: (phase: string) => void;
  readonly onSecond: (second: number, slices: readonly Slice[]) => void;
  /** Cancels the run; what was set up is cleaned up all the same. */
  readonly signal: AbortSignal;
};

/**
 * Plays a plan against a target and measures: set-up, calibration, load with the server observed beside it, a look at the
 * books, clean-up. Judging is for others.
 * @throws {ConfigError} {UnreachableError} {SetUpError} when it cannot be prepared; the signal's reason when canceled.
 */
export async function runPlan(plan: Plan, profile: Profile, target: Target, hooks: RunHooks): Promise<Measurement> {
  const startedAt = new Date().toISOString();
  hooks.onPhase(`registering ${profile.users} clients`);
  const preparation = await prepareRun(target, profile);
  const observers: Observers = { admin: createAdminReader(target), database: await createDatabaseReader(target) };
  try {
    const load = closedLoad(plan, profile, target, preparation, hooks);
    hooks.onPhase('looking how busy this machine is');
    const before = await measureMachineLoad(plan.calibrationMs / 2);
    hooks.onPhase('calibrating the client on a server that does nothing');
    const calibration = await calibrate({ ...load, onSecond: () => {} }, plan.calibrationMs);
    const effective = (await observers.admin.config()) ?? null;
    const servedBefore = await observers.admin.requestsServed();
    const { result, samples } = await observe(load, observers);
    hooks.signal.throwIfAborted();
    hooks.onPhase('waiting for rest and reading the books');
    const books = await readBooks(target, { clients: preparation.clients, servedBefore }, observers);
    const othersBusy = { before, after: await measureMachineLoad(plan.calibrationMs / 2) };
    const facts = { origin: target.origin, kind: target.kind, effective };
    return assemble({ plan, profile, startedAt, target: facts, calibration, othersBusy, result, samples, books });
  } finally {
    hooks.onPhase('removing the clients');
    await Promise.all([observers.admin.close(), observers.database.close(), cleanUp(target, preparation)]);
  }
}

function closedLoad(plan: Plan, profile: Profile, target: Target, { runId, catalogue, clients }: Preparation, hooks: RunHooks): ClosedLoad {
  const slowShare = profile.mix.includes('slow-query') ? slowQueryShare : 0;
  return {
    origin: target.origin,
    crowd: { script: 'shop', runId, profile, catalogue, weights: plan.weights, slowShare },
    clients,
    onSecond: hooks.onSecond,
    signal: hooks.signal,
  };
}

async function observe(load: ClosedLoad, observers: Observers): Promise<{ result: ClosedLoadResult; samples: ServerSample[] }> {
  const stop = new AbortController();
  const sampling = sampleServer(observers, stop.signal);
  const result = await runClosedLoad(load).finally(() => stop.abort());
  return { result, samples: await sampling };
}

/** Accounts of an own stack go with it. Failing to clean up does not undo a measurement. */
async function cleanUp(target: Target, { clients }: Preparation): Promise<void> {
  if (target.kind === 'own') return;
  const http = createHttpClient(target.origin);
  await removeClients(http, clients, target.loadtestKey);
  await http.close();
}

type Parts = {
  readonly plan: Plan;
  readonly profile: Profile;
  readonly startedAt: string;
  readonly target: Measurement['target'];
  readonly calibration: Calibration | null;
  readonly othersBusy: Measurement['client']['othersBusy'];
  readonly result: ClosedLoadResult;
  readonly samples: readonly ServerSample[];
  readonly books: ServerBooks;
};

function assemble({ plan, profile, startedAt, target, calibration, othersBusy, result, samples, books }: Parts): Measurement {
  const { slices, inFlightAtEnd, serverTimings, outsideServer, orders, failures, sendLag, processes, lost } = result;
  const coLocated = isLoopback(new URL(target.origin).hostname.replace(/^\[|\]$/g, ''));
  return {
    version: 1,
    plan: plan.name,
    startedAt,
    target,
    profile,
    slices,
    inFlightAtEnd,
    serverTimings,
    outsideServer,
    orders,
    failures,
    client: { processes, sendLag, calibration, lost, othersBusy, coLocated, cores: availableParallelism() },
    samples,
    books,
  };
}
