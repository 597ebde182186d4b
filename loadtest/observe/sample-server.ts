import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerSample, WorkerSample } from '../measurement/measurement.ts';
import type { AdminReader, ServerState } from './admin-reader.ts';
import type { BackendState, DatabaseReader } from './database-reader.ts';

export type Observers = { readonly admin: AdminReader; readonly database: DatabaseReader };

const lookEveryMs = 100;

/**
 * Looks at the server ten times a second until `stop` fires, and tells each second that is over: a pool that is full for a
 * fifth of it shows. A read that takes long is waited for, so that a server in trouble is not asked more: looks are then missing.
 */
export async function sampleServer(
  { admin, database }: Observers,
  startSecond: number,
  onSample: (sample: ServerSample) => void,
  stop: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  let [second, looks, before] = [startSecond, [] as Look[], undefined as Look | undefined];
  const tell = (): void => {
    if (looks.length === 0) return;
    onSample(summarize(second, looks, before));
    before = looks.at(-1);
    looks = [];
  };
  for (let dueMs = startedMs; !stop.aborted;) {
    const [state, backends] = await Promise.all([admin.state(), database.backends()]);
    const now = startSecond + Math.floor((performance.now() - startedMs) / 1_000);
    if (now !== second) tell();
    second = now;
    looks.push({ state, backends });
    dueMs = Math.max(dueMs + lookEveryMs, performance.now());
    await sleepUntil(dueMs, stop);
  }
  tell();
}

/** What one look at the server showed. */
export type Look = { readonly state: ServerState | undefined; readonly backends: BackendState | undefined };

/** One second of looks: means over them, and what was most. Pure. @param before the last look of the second before, to count CPU from */
export function summarize(second: number, looks: readonly Look[], before: Look | undefined): ServerSample {
  const states = looks.flatMap(({ state }) => state ?? []);
  const pools = states.flatMap(({ pool }) => pool ?? []);
  const backends = looks.flatMap((look) => look.backends ?? []);
  const pool = pools.length > 0 && {
    inUse: mean(pools.map(({ inUse }) => inUse)),
    capacity: Math.max(...pools.map(({ capacity }) => capacity)),
    waiting: mean(pools.map(({ waiting }) => waiting)),
    most: { inUse: Math.max(...pools.map(({ inUse }) => inUse)), waiting: Math.max(...pools.map(({ waiting }) => waiting)) },
  };
  const database = backends.length > 0 && {
    active: mean(backends.map(({ active }) => active)),
    idleInTransaction: mean(backends.map(({ idleInTransaction }) => idleInTransaction)),
    waitingForLock: mean(backends.map(({ waitingForLock }) => waitingForLock)),
    total: Math.max(...backends.map(({ total }) => total)),
  };
  return { second, looks: looks.length, pool: pool || null, backends: database || null, workers: workersOf(states, before?.state) };
}

function workersOf(states: readonly ServerState[], before: ServerState | undefined): WorkerSample[] {
  const seen = [...(before ? [before] : []), ...states].flatMap(({ atMs, workers }) => workers.map((one) => ({ ...one, atMs })));
  const latest = new Set(states.flatMap(({ workers }) => workers.map(({ worker }) => worker)));
  return [...latest].flatMap((worker): WorkerSample[] => {
    const own = seen.filter((one) => one.worker === worker);
    const inSecond = before?.workers.some((one) => one.worker === worker) ? own.slice(1) : own;
    const [first, last] = [own[0], own.at(-1)];
    if (!first || !last) return [];
    // A worker that was replaced begins to count anew.
    const cpu =
      last.atMs > first.atMs &&
      last.cpuSeconds >= first.cpuSeconds &&
      (last.cpuSeconds - first.cpuSeconds) / ((last.atMs - first.atMs) / 1_000);
    return [
      {
        worker,
        residentBytes: last.residentBytes,
        loopDelayMs: Math.max(...inSecond.map(({ loopDelayMs }) => loopDelayMs)),
        connectionsInUse: mean(inSecond.map(({ connectionsInUse }) => connectionsInUse)),
        ...(cpu !== false && { cpu: Math.round(1_000 * cpu) / 1_000 }),
      },
    ];
  });
}

const mean = (values: readonly number[]): number => Math.round((100 * values.reduce((sum, value) => sum + value, 0)) / values.length) / 100;

/** Resolves at a moment of `performance.now()`, at once when it has passed, and when the signal fires. */
export async function sleepUntil(moment: number, stop: AbortSignal): Promise<void> {
  // Node warns of a negative time, on standard error and in every run.
  await sleep(Math.max(0, moment - performance.now()), undefined, { signal: stop }).catch(() => {});
}
