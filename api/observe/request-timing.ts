import { AsyncLocalStorage } from 'node:async_hooks';
import type { Pool, PoolClient } from 'pg';

/** Where one request's time went, for Server-Timing. */
export class RequestTiming {
  readonly #startedAt: number;
  readonly #handlerAt = performance.now();
  poolMs = 0;
  dbMs = 0;

  /** @param startedAt `performance.now()` when the request had arrived */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /**
   * `queue`: from arrival to the handler (credential, rate limit, body) · `pool`: waiting for a connection · `db`: holding
   * one · `app`: the rest. Milliseconds.
   * @see https://www.w3.org/TR/server-timing/
   */
  header(): string {
    const queueMs = this.#handlerAt - this.#startedAt;
    const appMs = Math.max(0, performance.now() - this.#handlerAt - this.poolMs - this.dbMs);
    const [queue, pool, db, app] = [queueMs.toFixed(2), this.poolMs.toFixed(2), this.dbMs.toFixed(2), appMs.toFixed(2)];
    return `queue;dur=${queue}, pool;dur=${pool}, db;dur=${db}, app;dur=${app}`;
  }
}

const current = new AsyncLocalStorage<RequestTiming>();

/** Runs work whose use of a timed pool is added to `timing`. */
export const withTiming = <T>(timing: RequestTiming, work: () => Promise<T>): Promise<T> => current.run(timing, work);

/** For work that is done for several requests at once, outside all of them: adds to the timing of the one this is called in. */
export function timesOfRequest(): ((waitedMs: number, heldMs: number) => void) | undefined {
  const timing = current.getStore();
  if (!timing) return undefined;
  return (waitedMs, heldMs) => {
    timing.poolMs += waitedMs;
    timing.dbMs += heldMs;
  };
}

type ConnectCallback = (err: Error | undefined, client: PoolClient | undefined, done: (release?: unknown) => void) => void;
type Checkout = { readonly timing: RequestTiming; readonly since: number };

/**
 * Watches a pool: how long each request for a connection waits, and, inside `withTiming`, how long it is held.
 * @param onAcquire seconds waited; called for failures too
 */
export function timePool(pool: Pool, onAcquire: (seconds: number, outcome: 'acquired' | 'failed') => void): void {
  const connect = pool.connect.bind(pool) as (callback: ConnectCallback) => void;
  const checkouts = new WeakMap<PoolClient, Checkout>();

  const timedConnect = (callback: ConnectCallback): void => {
    const askedAt = performance.now();
    const timing = current.getStore();
    connect((err, client, done) => {
      const now = performance.now();
      onAcquire((now - askedAt) / 1000, err ? 'failed' : 'acquired');
      if (timing) timing.poolMs += now - askedAt;
      if (timing && client) checkouts.set(client, { timing, since: now });
      callback(err, client, done);
    });
  };
  const timedPromise = (): Promise<PoolClient> =>
    new Promise((resolve, reject) => {
      timedConnect((err, client) => (client ? resolve(client) : reject(err ?? new Error('no connection'))));
    });
  pool.connect = ((callback?: ConnectCallback) => (callback ? timedConnect(callback) : timedPromise())) as Pool['connect'];

  pool.on('release', (_err, client) => {
    const checkout = checkouts.get(client);
    if (!checkout) return;
    checkouts.delete(client);
    checkout.timing.dbMs += performance.now() - checkout.since;
  });
}
