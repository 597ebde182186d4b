import { ApiError } from '../errors.ts';

export type TurnsOptions = {
  /** Tasks that run at the same time. */
  readonly concurrency: number;
  /** Who would wait longer is refused instead. */
  readonly maxWaitMs: number;
  /** How long a task is taken to last until some have been measured. */
  readonly firstGuessMs: number;
  readonly now?: () => number;
};

/**
 * Runs a task in its turn.
 * @param signal whoever it stands for has left once it fires: a task that still waits is then not run, and the promise
 *   rejects with its reason
 * @throws overloaded, at once when the wait would be too long, later when it has become so
 */
export type RunInTurn = <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

type Waiter = { readonly sinceMs: number; readonly begin: () => void; readonly refuse: (reason: unknown) => void };

/** How much the newest task counts in the mean of their durations. */
const newestShare = 0.2;

/** A queue bounded by time, for work that takes long and whose clients do not wait for ever. First come, first served. */
export function createTurns({ concurrency, maxWaitMs, firstGuessMs, now = () => performance.now() }: TurnsOptions): RunInTurn {
  const waiting = new Set<Waiter>();
  let running = 0;
  let meanMs = firstGuessMs;

  const untilTurn = (signal: AbortSignal | undefined): Promise<void> => {
    const expectedMs = ((waiting.size + 1) / concurrency) * meanMs;
    if (expectedMs > maxWaitMs) return Promise.reject(overloaded(expectedMs));
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        waiting.delete(waiter);
        signal?.removeEventListener('abort', leave);
      };
      const leave = (): void => (settle(), reject(signal?.reason as Error));
      const waiter: Waiter = {
        sinceMs: now(),
        begin: () => (settle(), resolve()),
        refuse: (reason) => (settle(), reject(reason)),
      };
      waiting.add(waiter);
      signal?.addEventListener('abort', leave);
    });
  };
  /** The place goes straight to the next in line, so nobody can slip in between. */
  const passOn = (): void => {
    for (const waiter of waiting) {
      const waitedMs = now() - waiter.sinceMs;
      if (waitedMs <= maxWaitMs) return waiter.begin();
      waiter.refuse(overloaded(meanMs));
    }
    running -= 1;
  };

  return async (task, signal) => {
    signal?.throwIfAborted();
    if (running < concurrency) running += 1;
    else await untilTurn(signal);
    const startedAt = now();
    try {
      return await task();
    } finally {
      meanMs += (now() - startedAt - meanMs) * newestShare;
      passOn();
    }
  };
}

function overloaded(waitMs: number): ApiError {
  return new ApiError('overloaded', 'Too many logins at the same time; try again in a moment.', {
    headers: { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1_000))) },
  });
}
