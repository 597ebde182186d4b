import { backoffDelayMs } from '#lib/retry.ts';

/** How long a worker's place stays empty after deaths in a row. */
export const restartBackoff = { firstDelayMs: 100, maxDelayMs: 10_000 } as const;

/** A worker that has lived this long has recovered: its next death is again the first in a row. */
export const stableAfterMs = 30_000;

export type WorkerDeath = {
  /** Whether any worker of this start has yet taken requests. */
  readonly hasEverServed: boolean;
  readonly isDraining: boolean;
  /** Undefined: it died before it was ready. */
  readonly livedMs: number | undefined;
  /** Deaths in a row of this place before this one. */
  readonly deathsInARow: number;
};

export type RestartDecision =
  | { readonly action: 'restart'; readonly afterMs: number; readonly deathsInARow: number; readonly reason: 'died' | 'failed to start' }
  /** The start as a whole has failed: what stops one worker will stop every other. */
  | { readonly action: 'give-up'; readonly reason: 'failed to start' }
  | { readonly action: 'leave'; readonly reason: 'draining' };

/** What to do about a worker that has ended. Pure. */
export function restartDecision(death: WorkerDeath): RestartDecision {
  if (death.isDraining) return { action: 'leave', reason: 'draining' };
  if (!death.hasEverServed && death.livedMs === undefined) return { action: 'give-up', reason: 'failed to start' };
  const wasStable = death.livedMs !== undefined && death.livedMs >= stableAfterMs;
  const deathsInARow = wasStable ? 1 : death.deathsInARow + 1;
  const reason = death.livedMs === undefined ? 'failed to start' : 'died';
  return { action: 'restart', afterMs: backoffDelayMs(deathsInARow, restartBackoff, 0), deathsInARow, reason };
}
