import type { Worker } from 'node:cluster';
import type { MetricObject } from 'prom-client';
import { AppError, ConfigError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';
import type { FlatVerdicts } from '../limiter/batch-takes.ts';
import type { PrimaryLink, TakeTuples } from '../limiter/primary-limiter.ts';

/** What workers and primary say to each other. JSON, so nothing here is a class, a Map or undefined. */
export type WorkerMessage =
  /** Listens and takes requests. */
  | { readonly kind: 'ready' }
  /** Could not start; the problems are one line each and hold no secret. */
  | { readonly kind: 'failed'; readonly problems: readonly string[]; readonly exitCode: number }
  /** Its event loop turns. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'take'; readonly batch: number; readonly takes: readonly TakeTuples[] }
  | { readonly kind: 'metrics'; readonly request: number; readonly metrics: readonly MetricObject[] }
  /** @property inodes of the log files that it writes now */
  | { readonly kind: 'reopened'; readonly request: number; readonly pid: number; readonly inodes: Readonly<Record<string, number>> };

export type PrimaryMessage =
  | { readonly kind: 'taken'; readonly batch: number; readonly verdicts: readonly number[] }
  /** @property names only these metrics; absent: all */
  | { readonly kind: 'collect'; readonly request: number; readonly names?: readonly string[] }
  /** Go over to the log files that are under their paths now. */
  | { readonly kind: 'reopen'; readonly request: number }
  /** Connections the worker's pool may open at most. */
  | { readonly kind: 'limit-pool'; readonly max: number }
  /** Finish what was accepted, then exit. */
  | { readonly kind: 'drain' };

/** Variable by which a worker knows its place, 1 to the number of workers. */
export const workerSlotVariable = 'ATALAYA_WORKER_SLOT';

/** Sends a message to a worker. One that has just died is told nothing; its `exit` says so. */
export function tellWorker(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message, () => undefined);
}

/** A worker ended before it took requests, and what ended it was not its configuration. */
export class WorkerStartError extends AppError {
  readonly code = 'WORKER_START';
}

/** The error that ends the primary when a worker has told why it cannot start. */
export function startErrorFrom(problems: readonly string[], exitCode: number): AppError {
  return exitCode === EXIT.config ? new ConfigError(problems) : new WorkerStartError(problems.join('; '));
}

/** The process a worker runs in, as far as the link needs it. */
export type LinkedProcess = {
  readonly send: (message: WorkerMessage) => void;
  readonly onMessage: (listener: (message: PrimaryMessage) => void) => void;
  readonly onDrain: () => void;
};

export type WorkerLinkHandlers = {
  /** Answers with the metrics of this worker, or with those of these names. */
  readonly collect: (names?: readonly string[]) => Promise<readonly MetricObject[]>;
  readonly limitPool: (max: number) => void;
  /** Resolves with the inodes of the log files written from now on. */
  readonly reopenLogs: () => Promise<Readonly<Record<string, number>>>;
};

export type WorkerLink = PrimaryLink & {
  readonly send: (message: WorkerMessage) => void;
  readonly listen: (handlers: WorkerLinkHandlers) => void;
};

/** Batches that may wait for the primary; beyond that the oldest is given up, since its requests have long been decided. */
const maxBatches = 1_000;

/** A worker's end of the channel to the primary. */
export function createWorkerLink(linked: LinkedProcess): WorkerLink {
  const waiting = new Map<number, (verdicts: FlatVerdicts) => void>();
  let batches = 0;
  let handlers: WorkerLinkHandlers | undefined;

  linked.onMessage((message) => {
    switch (message.kind) {
      case 'taken':
        waiting.get(message.batch)?.(message.verdicts);
        waiting.delete(message.batch);
        return;
      case 'drain':
        linked.onDrain();
        return;
      case 'collect':
        void handlers?.collect(message.names).then((metrics) => linked.send({ kind: 'metrics', request: message.request, metrics }));
        return;
      case 'reopen':
        void handlers?.reopenLogs().then((inodes) => linked.send({ kind: 'reopened', request: message.request, pid: process.pid, inodes }));
        return;
      case 'limit-pool':
        handlers?.limitPool(message.max);
        return;
      default:
        message satisfies never;
    }
  });

  return {
    askPrimary: (takes) =>
      new Promise((resolve) => {
        const batch = (batches += 1);
        const [oldest] = waiting.keys();
        if (waiting.size >= maxBatches && oldest !== undefined) waiting.delete(oldest);
        waiting.set(batch, resolve);
        linked.send({ kind: 'take', batch, takes });
      }),
    send: linked.send,
    listen: (given) => {
      handlers = given;
    },
  };
}
