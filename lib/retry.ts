import { setTimeout as sleep } from 'node:timers/promises';

export type Backoff = {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** 0 keeps the delays exact; 0.5 lets each vary by up to half of itself, downward. */
  readonly jitter?: number;
};

/** Delay before attempt `attempt + 1`, doubling from `firstDelayMs`; the first attempt is 1. Pure: `random` is in [0, 1). */
export function backoffDelayMs(attempt: number, backoff: Backoff, random: number): number {
  const full = Math.min(backoff.maxDelayMs, backoff.firstDelayMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (1 - (backoff.jitter ?? 0) * random));
}

export type RetryOptions = Backoff & {
  /** Attempts in all; Infinity tries until `signal` fires. */
  readonly attempts: number;
  readonly signal?: AbortSignal;
  /** Says whether another attempt can help; default: always. */
  readonly isRetryable?: (err: unknown) => boolean;
  readonly onRetry?: (err: unknown, attempt: number, delayMs: number) => void;
};

/**
 * Runs `task` until it succeeds.
 * @throws the last error once attempts are used up, the error is not retryable, or the signal has fired.
 */
export async function retry<T>(task: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await task(attempt);
    } catch (err) {
      const isLast = attempt >= options.attempts || options.signal?.aborted || !(options.isRetryable?.(err) ?? true);
      if (isLast) throw err;
      const delayMs = backoffDelayMs(attempt, options, Math.random());
      options.onRetry?.(err, attempt, delayMs);
      const interrupted = await sleep(delayMs, false, options.signal ? { signal: options.signal } : {}).catch(() => true);
      if (interrupted) throw err;
    }
  }
}

export type RestartRule = Backoff & {
  /** Whoever ran this long was well: its next end is again the first in a row. */
  readonly healthyAfterMs: number;
};

export type Restart = {
  /** Failures in a row, this one included. Hand it in at the next. */
  readonly failuresInARow: number;
  readonly delayMs: number;
};

/**
 * When something that has ended is started again: soon at first, later the more often it failed in a row. Like Docker's
 * `unless-stopped`, it never gives up. Pure.
 * @param failuresInARow how many times in a row it had failed before
 * @param ranMs how long it ran this time; undefined: it never became ready
 */
export function nextRestart(rule: RestartRule, failuresInARow: number, ranMs: number | undefined): Restart {
  const wasHealthy = ranMs !== undefined && ranMs >= rule.healthyAfterMs;
  const inARow = wasHealthy ? 1 : failuresInARow + 1;
  return { failuresInARow: inARow, delayMs: backoffDelayMs(inARow, rule, 0) };
}
