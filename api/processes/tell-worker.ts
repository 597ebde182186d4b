import type { Worker } from 'node:cluster';
import type { PrimaryMessage } from './messages.ts';

/** Sends a message to a worker. One that has just died is told nothing; its `exit` says so. */
export function tellWorker(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message, () => undefined);
}
