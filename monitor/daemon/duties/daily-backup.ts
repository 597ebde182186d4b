import type { BackupJob } from '../../backup/job.ts';
import type { Watch } from '../../health/watch.ts';
import type { Duty } from './duty.ts';

export type BackupDuty = Duty & {
  /** Resolves once no backup is under way. */
  readonly whenIdle: () => Promise<void>;
};

/**
 * Takes the daily backup when the job says it is due; but not while the database is not known to be up: a dump would only
 * fail, and count as an attempt.
 * @param settledMs moment of the steady clock before which none is caught up
 */
export function dailyBackupDuty(backupJob: Pick<BackupJob, 'runIfDue'>, watch: Pick<Watch, 'snapshot'>, settledMs: number): BackupDuty {
  let underWay: Promise<unknown> = Promise.resolve();
  const isDatabaseUp = (): boolean =>
    watch
      .snapshot()
      .filter(({ kind }) => kind === 'postgres')
      .every(({ status }) => status === 'up' || status === 'degraded');
  return {
    name: 'daily backup',
    isDue: ({ clockMs }) => clockMs >= settledMs && isDatabaseUp(),
    run: async (_now, signal) => {
      underWay = backupJob.runIfDue(signal);
      await underWay;
    },
    whenIdle: async () => void (await underWay),
  };
}
