import type { Worker } from 'node:cluster';
import type { Logger } from '#lib/logger.ts';

/** A worker's place, as far as this looks at it. */
type Watched = {
  readonly number: number;
  readonly worker: Worker | undefined;
  readonly readyAt: number | undefined;
  /** `performance.now()` when it last showed that its event loop turns. */
  readonly lastBeatAt: number;
};

const stallCheckEveryMs = 5_000;
/** A worker whose event loop does not turn for so long serves nobody and is replaced. */
const stalledAfterMs = 20_000;

/** Ends the workers that stand still, from now on until the timer is cleared: others then take their places. */
export function watchStalls(slots: readonly Watched[], logger: Logger): NodeJS.Timeout {
  let checkedAt = performance.now();
  return setInterval(() => {
    const now = performance.now();
    // When the primary itself stood still, the beats of the meantime are not yet read.
    const stoodStill = now - checkedAt > stallCheckEveryMs * 2;
    checkedAt = now;
    if (stoodStill) return;
    for (const { number, worker, readyAt, lastBeatAt } of slots) {
      if (!worker || readyAt === undefined || now - lastBeatAt < stalledAfterMs) continue;
      logger.error({ worker: number, silent_ms: Math.round(now - lastBeatAt) }, 'worker does not answer and is ended');
      worker.process.kill('SIGKILL');
    }
  }, stallCheckEveryMs);
}
