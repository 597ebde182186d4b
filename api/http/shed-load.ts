import type { ApiMiddleware } from './exchange.ts';
import { ApiError } from '../errors.ts';

/** How loaded this process is, read for every request. */
export type Load = {
  /** Requests being worked on, this one included. */
  readonly inFlight: number;
  /** Requests that wait for a database connection. */
  readonly poolWaiting: number;
  /** Mean time by which the event loop was late in the last second, in milliseconds. */
  readonly loopDelayMs: number;
};

export type LoadLimits = { readonly maxInFlight: number; readonly maxPoolWaiting: number; readonly maxLoopDelayMs: number };

export const defaultLoadLimits: LoadLimits = { maxInFlight: 1_000, maxPoolWaiting: 500, maxLoopDelayMs: 500 };

export type ShedReason = 'in_flight' | 'pool_queue' | 'event_loop';

/** Why a request is turned away now, or undefined when there is room for it. Pure. */
export function reasonToShed(load: Load, limits: LoadLimits): ShedReason | undefined {
  if (load.inFlight > limits.maxInFlight) return 'in_flight';
  if (load.poolWaiting > limits.maxPoolWaiting) return 'pool_queue';
  return load.loopDelayMs > limits.maxLoopDelayMs ? 'event_loop' : undefined;
}

export type ShedLoadDeps = {
  readonly isDraining: () => boolean;
  readonly load: () => Load;
  readonly limits: LoadLimits;
  readonly onShed: (reason: ShedReason) => void;
};

/** Turns requests away before any work is done for them: all of them while draining, the excess under overload. */
export function shedLoad({ isDraining, load, limits, onShed }: ShedLoadDeps): ApiMiddleware {
  return (_ctx, next) => {
    if (isDraining()) {
      throw new ApiError('draining', 'This server is shutting down and did not begin the request.', {
        headers: { 'Retry-After': '1' },
      });
    }
    const reason = reasonToShed(load(), limits);
    if (reason === undefined) return next();
    onShed(reason);
    throw new ApiError('overloaded', 'The server has more to do than it can; it did not begin the request.', {
      headers: { 'Retry-After': '1' },
    });
  };
}

/** Counts the requests being worked on, and tells when there are none. */
export class InFlight {
  #count = 0;
  #onIdle: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when no request is being worked on; now, when none is. */
  whenIdle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#onIdle.push(resolve));
  }
}
