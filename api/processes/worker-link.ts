import type { MetricObject } from 'prom-client';
import type { FlatVerdicts } from '../limiter/batch-takes.ts';
import type { PrimaryLink } from '../limiter/primary-limiter.ts';
import type { PrimaryMessage, WorkerMessage } from './messages.ts';

/** The process a worker runs in, as far as the link needs it. */
export type LinkedProcess = {
  readonly send: (message: WorkerMessage) => void;
  readonly onMessage: (listener: (message: PrimaryMessage) => void) => void;
  readonly onDrain: () => void;
};

export type WorkerLinkHandlers = {
  /** Answers with the metrics of this worker. */
  readonly collect: () => Promise<readonly MetricObject[]>;
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
        void handlers?.collect().then((metrics) => linked.send({ kind: 'metrics', request: message.request, metrics }));
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
