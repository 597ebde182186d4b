import type { Logger } from '#lib/logger.ts';
import type { BackupJob } from '../backup/job.ts';
import { everyMinute } from '../every-minute.ts';
import type { Watch } from '../health/watch.ts';
import type { MonitorStore } from '../store/store.ts';

const dayMs = 86_400_000;
const historyKeptMs = 400 * dayMs;

export type Jobs = {
  readonly store: MonitorStore;
  readonly watch: Watch;
  /** Undefined when backups are off. */
  readonly backupJob: BackupJob | undefined;
  /** Time after the start before a missed backup is caught up, in ms. */
  readonly settleMs: number;
  readonly logger: Logger;
};

/** Does scheduled work until the signal fires and what runs then has ended. */
export async function runJobs({ store, watch, backupJob, settleMs, logger }: Jobs, signal: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  let expiredAt = -Infinity;
  let backup: Promise<unknown> = Promise.resolve();
  everyMinute(async () => {
    if (performance.now() - expiredAt > dayMs) {
      expiredAt = performance.now();
      try {
        store.expire(Date.now() - historyKeptMs);
      } catch (err) {
        logger.error({ err }, 'old history could not be deleted');
      }
    }
    if (!backupJob || performance.now() - startedMs < settleMs || !isDatabaseUp(watch)) return;
    backup = backupJob.runIfDue(signal);
    await backup;
  }, signal);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await backup;
}

/** A dump of a database that is down would only fail, and count as an attempt. */
function isDatabaseUp(watch: Watch): boolean {
  return watch
    .snapshot()
    .filter(({ kind }) => kind === 'postgres')
    .every(({ status }) => status === 'up' || status === 'degraded');
}
