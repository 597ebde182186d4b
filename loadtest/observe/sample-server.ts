import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerSample } from '../measurement/measurement.ts';
import type { AdminReader } from './admin-reader.ts';
import type { DatabaseReader } from './database-reader.ts';

export type Observers = { readonly admin: AdminReader; readonly database: DatabaseReader };

/**
 * Asks the server once a second how it is, until `stop` fires. A read that takes long is waited for, so that a server in
 * trouble is not asked more: its seconds are then missing.
 */
export async function sampleServer(
  { admin, database }: Observers,
  startSecond: number,
  onSample: (sample: ServerSample) => void,
  stop: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  for (let dueMs = startedMs; !stop.aborted;) {
    const [state, backends] = await Promise.all([admin.state(), database.backends()]);
    const second = startSecond + Math.floor((performance.now() - startedMs) / 1_000);
    onSample({ second, pool: state?.pool ?? null, backends: backends ?? null, workers: state?.workers ?? [] });
    dueMs = Math.max(dueMs + 1_000, performance.now());
    await sleepUntil(dueMs, stop);
  }
}

/** Resolves at a moment of `performance.now()`, at once when it has passed, and when the signal fires. */
export async function sleepUntil(moment: number, stop: AbortSignal): Promise<void> {
  // Node warns of a negative time, on standard error and in every run.
  await sleep(Math.max(0, moment - performance.now()), undefined, { signal: stop }).catch(() => {});
}
