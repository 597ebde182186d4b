import type { MetricObject } from 'prom-client';
import type { TakeTuples } from '../limiter/primary-limiter.ts';

/** What workers and primary say to each other. JSON, so nothing here is a class, a Map or undefined. */
export type WorkerMessage =
  /** Listens and takes requests. */
  | { readonly kind: 'ready' }
  /** Could not start; the problems are one line each and hold no secret. */
  | { readonly kind: 'failed'; readonly problems: readonly string[]; readonly exitCode: number }
  /** Its event loop turns. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'take'; readonly batch: number; readonly takes: readonly TakeTuples[] }
  | { readonly kind: 'metrics'; readonly request: number; readonly metrics: readonly MetricObject[] };

export type PrimaryMessage =
  | { readonly kind: 'taken'; readonly batch: number; readonly verdicts: readonly number[] }
  | { readonly kind: 'collect'; readonly request: number }
  /** Finish what was accepted, then exit. */
  | { readonly kind: 'drain' };

/** Variable by which a worker knows its place, 1 to the number of workers. */
export const workerSlotVariable = 'ATALAYA_WORKER_SLOT';
