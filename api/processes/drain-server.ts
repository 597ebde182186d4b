import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InFlight } from '../http/in-flight.ts';

export type DrainOptions = {
  /** After so long, connections that are still busy are cut. */
  readonly deadlineMs: number;
  /**
   * How long at least the listener stays open, answering 503: a load balancer learns of the drain, and a request that is
   * already under way on a kept-alive connection gets an answer that is safe to retry instead of a reset.
   */
  readonly lingerMs: number;
};

/**
 * Ends a server without losing what it accepted. The caller has already made it answer new requests with 503.
 * @returns whether everything was answered before the deadline
 */
export async function drainServer(server: Server, inFlight: InFlight, { deadlineMs, lingerMs }: DrainOptions): Promise<boolean> {
  const deadline = new AbortController();
  const late = sleep(deadlineMs, false, { signal: deadline.signal }).catch(() => false);
  const idle = Promise.all([inFlight.whenIdle(), sleep(lingerMs)]).then(() => true);
  const finished = await Promise.race([idle, late]);
  const closed = new Promise<boolean>((resolve) => {
    server.close(() => resolve(true));
  });
  server.closeIdleConnections();
  // Answers may still be on their way to slow readers.
  const flushed = finished && (await Promise.race([closed, late]));
  if (!flushed) server.closeAllConnections();
  deadline.abort();
  return flushed;
}
