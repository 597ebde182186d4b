import { rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BackupDeps } from './backup-deps.ts';
import { lockDirectory } from './set/folder-lock.ts';
import { readCatalogue, summarise } from './set/catalogue.ts';
import { syncDirectory } from './set/durable-files.ts';
import { requireWritableDirectory } from './pre-checks.ts';
import { planRetention, type RetentionDecision, type RetentionPolicy } from './retention.ts';
import { expiredPrefix, sweepLeftovers } from './write-set.ts';

export type ExpireOptions = RetentionPolicy & {
  /** Only says what would be done. */
  readonly dryRun?: boolean;
};

/**
 * Deletes the sets that retention lets go, and says of each set what became of it and why, newest first. Sets whose
 * manifest is damaged, and files that are no set, stay untouched.
 * @throws {BusyError} when another run uses the folder.
 */
export async function expireBackups(given: Pick<BackupDeps, 'dir' | 'now'>, options: ExpireOptions): Promise<RetentionDecision[]> {
  const dir = resolve(given.dir);
  await requireWritableDirectory(dir);
  const lock = await lockDirectory(dir, 'backup expire', given.now());
  try {
    const { sets } = await readCatalogue(dir);
    const summaries = sets.map(({ manifest }) => summarise(manifest));
    const decisions = planRetention(summaries, options, given.now());
    if (options.dryRun) return decisions;
    await lock.assertHeld();
    for (const { id, action } of decisions) if (action === 'expire') await removeSet(dir, id);
    await sweepLeftovers(dir);
    return decisions;
  } finally {
    await lock.release();
  }
}

/** Out of the list in one step first, so that no reader meets half a set. */
async function removeSet(dir: string, id: string): Promise<void> {
  const aside = join(dir, `${expiredPrefix}${id}`);
  await rename(join(dir, id), aside);
  await syncDirectory(dir);
  await rm(aside, { recursive: true, force: true });
}
