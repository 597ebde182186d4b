import { nextRestart, type Restart, type RestartRule } from '#lib/retry.ts';

/** How long a worker's place stays empty after deaths in a row. */
const restartRule: RestartRule = { firstDelayMs: 100, maxDelayMs: 10_000, healthyAfterMs: 30_000 };

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
  | ({ readonly action: 'restart'; readonly reason: 'died' | 'failed to start' } & Restart)
  /** The start as a whole has failed: what stops one worker will stop every other. */
  | { readonly action: 'give-up'; readonly reason: 'failed to start' }
  | { readonly action: 'leave'; readonly reason: 'draining' };

/** What to do about a worker that has ended. Pure. */
export function restartDecision({ hasEverServed, isDraining, livedMs, deathsInARow }: WorkerDeath): RestartDecision {
  if (isDraining) return { action: 'leave', reason: 'draining' };
  if (!hasEverServed && livedMs === undefined) return { action: 'give-up', reason: 'failed to start' };
  return {
    action: 'restart',
    reason: livedMs === undefined ? 'failed to start' : 'died',
    ...nextRestart(restartRule, deathsInARow, livedMs),
  };
}
