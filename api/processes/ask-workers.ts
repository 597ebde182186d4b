import type { Worker } from 'node:cluster';
import { tellWorker, type PrimaryMessage, type WorkerMessage } from './channel.ts';

/** An answer of a worker to a request that the primary numbers. */
type Answer<Kind extends WorkerMessage['kind']> = WorkerMessage & { readonly kind: Kind; readonly request: number };
export type AnsweringWorker = { readonly number: number; readonly worker: Worker };
export type Answered<Kind extends WorkerMessage['kind']> = { readonly worker: number; readonly answer: Answer<Kind> };

/** Asks all workers something at once. */
export type Inquiry<Kind extends WorkerMessage['kind']> = {
  /** The answers that come within a second, by the number of the worker. */
  readonly ask: (workers: readonly AnsweringWorker[], question: (request: number) => PrimaryMessage) => Promise<Answered<Kind>[]>;
  readonly receive: (worker: number, answer: Answer<Kind>) => void;
};

const answerTimeoutMs = 1_000;

export function createInquiry<const Kind extends 'metrics' | 'reopened'>(): Inquiry<Kind> {
  const waiting = new Map<number, (answered: Answered<Kind>) => void>();
  let requests = 0;
  return {
    receive: (worker, answer) => waiting.get(answer.request)?.({ worker, answer }),
    ask: (workers, question) => {
      const request = (requests += 1);
      return new Promise((resolve) => {
        const received: Answered<Kind>[] = [];
        const finish = (): void => {
          clearTimeout(timer);
          waiting.delete(request);
          resolve(received.toSorted((a, b) => a.worker - b.worker));
        };
        const timer = setTimeout(finish, answerTimeoutMs);
        waiting.set(request, (answered) => {
          received.push(answered);
          if (received.length === workers.length) finish();
        });
        if (workers.length === 0) finish();
        for (const { worker } of workers) tellWorker(worker, question(request));
      });
    },
  };
}

/** A process and the inodes of the log files that it writes, by their names. */
export type LogWriter = { readonly worker: number; readonly pid: number; readonly inodes: Readonly<Record<string, number>> };
/** `silent`: numbers of the workers that did not answer. */
export type Reopened = { readonly writers: readonly LogWriter[]; readonly silent: readonly number[] };

/** What is known of the log files of workers that were asked to reopen them. Pure. */
export function whoReopened(asked: readonly AnsweringWorker[], answers: readonly Answered<'reopened'>[]): Reopened {
  const writers = answers.map(({ worker, answer: { pid, inodes } }) => ({ worker, pid, inodes }));
  const silent = asked.map(({ number }) => number).filter((number) => !writers.some(({ worker }) => worker === number));
  return { writers, silent };
}
