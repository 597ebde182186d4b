import { backoffDelayMs } from '#lib/retry.ts';

const backoff = { firstDelayMs: 200, maxDelayMs: 10_000 };

/** A part that ran this long was well; its next failure counts as the first. */
const steadyMs = 10_000;

/**
 * When a part that has ended is started again: at once at first, later the more often it failed in a row. Like Docker's
 * `unless-stopped`, it never gives up. Pure.
 * @param failures how many times in a row it had failed before
 * @param ranMs how long it ran this time
 */
export function nextRestart(failures: number, ranMs: number): { readonly failures: number; readonly delayMs: number } {
  const inARow = ranMs >= steadyMs ? 1 : failures + 1;
  return { failures: inARow, delayMs: backoffDelayMs(inARow, backoff, 0) };
}
