import type { Limiter } from './limiter.ts';
import { createSlidingWindows } from './sliding-window.ts';

/** Counts in this process alone, with the full limit: exact for one process, the last resort of several. */
export function createLocalLimiter(now: () => number = () => performance.now()): Limiter {
  const windows = createSlidingWindows();
  return { take: (quotas) => Promise.resolve(windows.take(quotas, now())) };
}
