/** A time of day in UTC. */
export type TimeOfDay = { readonly hour: number; readonly minute: number };

/** What has been done, as the schedule sees it. Times: ms of the epoch. */
export type RunHistory = {
  /** When the newest good result was made; undefined when there is none. */
  readonly lastDoneAt: number | undefined;
  /** Attempts since the latest slot that came to nothing, and when the last of them began. */
  readonly failedAttempts: number;
  readonly lastAttemptAt: number | undefined;
};

export type ScheduleDecision =
  /** `first`: nothing was ever made. `missed`: nobody ran when it was time. `retry`: an attempt failed. */
  | { readonly isDue: true; readonly reason: 'first' | 'scheduled' | 'missed' | 'retry' }
  | { readonly isDue: false; readonly reason: 'done' | 'wait_to_retry'; readonly nextAt: number };

const dayMs = 86_400_000;
/** Later than this after its time, a run is called missed. */
const missedAfterMs = 3_600_000;
const firstRetryMs = 15 * 60_000;
const longestRetryMs = 6 * 3_600_000;

/**
 * Whether a daily run is due. Decided from what was made, never from ticks: however often it is asked, and however long
 * nobody asked, one run is due after each slot, and a missed one is due once. Pure.
 */
export function decideDailyRun(time: TimeOfDay, history: RunHistory, now: number): ScheduleDecision {
  const slot = latestSlot(time, now);
  if (history.lastDoneAt !== undefined && history.lastDoneAt >= slot) return { isDue: false, reason: 'done', nextAt: slot + dayMs };
  if (history.failedAttempts > 0 && history.lastAttemptAt !== undefined) {
    const retryAt = history.lastAttemptAt + retryDelayMs(history.failedAttempts);
    // An attempt in the future was recorded before the clock was set back.
    const isWaiting = now < retryAt && history.lastAttemptAt <= now;
    return isWaiting ? { isDue: false, reason: 'wait_to_retry', nextAt: retryAt } : { isDue: true, reason: 'retry' };
  }
  if (history.lastDoneAt === undefined) return { isDue: true, reason: 'first' };
  return { isDue: true, reason: now - slot > missedAfterMs ? 'missed' : 'scheduled' };
}

/** The latest moment at or before `now` that has this time of day in UTC. Pure. */
export function latestSlot(time: TimeOfDay, now: number): number {
  const today = Math.floor(now / dayMs) * dayMs + (time.hour * 60 + time.minute) * 60_000;
  return today <= now ? today : today - dayMs;
}

/** 15 minutes, doubling to 6 hours. Pure. */
export function retryDelayMs(failedAttempts: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failedAttempts - 1, 20));
}
