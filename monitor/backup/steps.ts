import type { BackupDeps } from '#backups/deps.ts';
import { listBackups } from '#backups/set/catalogue.ts';
import { expireBackups } from '#backups/expire.ts';
import { takeBackup } from '#backups/take.ts';
import { verifyBackup } from '#backups/verify.ts';
import type { BackupSteps } from './job.ts';
import type { MonitorEnv } from '../config/monitor-env.ts';

const now = (): Date => new Date();

/** The steps of the daily backup, done by backups/ on the watched database. */
export function backupSteps(env: MonitorEnv): BackupSteps {
  const deps = (signal: AbortSignal): BackupDeps => ({ postgres: env, dir: env.BACKUP_DIR, now, signal });
  return {
    // Others may keep sets of other databases, and sets from before a restore, in the same folder.
    list: async () =>
      (await listBackups(env.BACKUP_DIR)).filter(({ kind, database }) => kind === 'regular' && database === env.POSTGRES_DB),
    take: (signal) => takeBackup(deps(signal)),
    verify: (id, signal) => verifyBackup(deps(signal), id),
    expire: () => expireBackups({ dir: env.BACKUP_DIR, now }, { keepDays: env.BACKUP_KEEP_DAYS, keepMin: env.BACKUP_KEEP_MIN }),
  };
}
