import type { Worker } from 'node:cluster';
import type { WorkerMetrics } from '../observe/merge-metrics.ts';
import type { WorkerMessage } from './messages.ts';
import { tellWorker } from './tell-worker.ts';

type MetricsMessage = WorkerMessage & { kind: 'metrics' };

export type MetricsCollector = {
  /** The metrics of those workers that answer within a second. */
  readonly collect: (workers: readonly { readonly number: number; readonly worker: Worker }[]) => Promise<WorkerMetrics[]>;
  readonly receive: (worker: number, message: MetricsMessage) => void;
};

const answerTimeoutMs = 1_000;

export function createMetricsCollector(): MetricsCollector {
  const waiting = new Map<number, (worker: number, message: MetricsMessage) => void>();
  let requests = 0;
  return {
    receive: (worker, message) => waiting.get(message.request)?.(worker, message),
    collect: (workers) => {
      const request = (requests += 1);
      return new Promise((resolve) => {
        const received: WorkerMetrics[] = [];
        const finish = (): void => {
          clearTimeout(timer);
          waiting.delete(request);
          resolve(received.toSorted((a, b) => a.worker - b.worker));
        };
        const timer = setTimeout(finish, answerTimeoutMs);
        waiting.set(request, (worker, { metrics }) => {
          received.push({ worker, metrics });
          if (received.length === workers.length) finish();
        });
        if (workers.length === 0) finish();
        for (const { worker } of workers) tellWorker(worker, { kind: 'collect', request });
      });
    },
  };
}
