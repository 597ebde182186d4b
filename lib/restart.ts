import { backoffDelayMs, type Backoff } from './retry.ts';

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
