import { summarise } from './set/catalogue.ts';
import type { BackupDeps } from './deps.ts';
import { withLockedFolder } from './set/folder-lock.ts';
import { planRetention, type RetentionDecision, type RetentionPolicy } from './set/retention.ts';

type ExpireOptions = RetentionPolicy & {
  /** Only says what would be done. */
  readonly dryRun?: boolean;
};

/**
 * Deletes the sets that retention lets go, and says of each set what became of it and why, newest first. Sets whose
 * manifest is damaged, and files that are no set, stay untouched.
 * @throws {BusyError} when another run uses the folder · {BackupFailedError} naming the set that cannot be deleted
 */
export function expireBackups(deps: Pick<BackupDeps, 'dir' | 'now' | 'files'>, options: ExpireOptions): Promise<RetentionDecision[]> {
  return withLockedFolder(deps, 'expire', async (store) => {
    const { sets } = await store.read();
    const decisions = planRetention(
      sets.map(({ manifest }) => summarise(manifest)),
      options,
      deps.now(),
    );
    for (const { id, action } of decisions) if (action === 'expire' && !options.dryRun) await store.remove(id);
    return decisions;
  });
}
