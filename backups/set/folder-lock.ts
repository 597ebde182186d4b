import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf } from '#lib/errors.ts';
import { lockFolder } from '#lib/lock.ts';
import type { BackupDeps, FileEffects } from '../deps.ts';
import { BackupRefusedError, explainFailure } from '../errors.ts';
import { diskEffects } from './durable-files.ts';
import { folderStore, sweepFolder, type SetStore } from './store.ts';

/** In BACKUP_DIR; whoever changes what is there holds it. */
export const lockFileName = '.lock';

/**
 * Does `work` as the only run that may change the folder of sets, which is made where it is missing. What killed runs
 * have left there is cleared away first, and a failure is explained as one of `verb`.
 * @throws {BusyError} at once, naming the run that holds the folder · {BackupRefusedError} `directory-not-writable`
 */
export async function withLockedFolder<T>(
  deps: Pick<BackupDeps, 'dir' | 'now' | 'signal' | 'files'>,
  verb: 'take' | 'verify' | 'restore' | 'expire',
  work: (store: SetStore) => Promise<T>,
): Promise<T> {
  const dir = resolve(deps.dir);
  const files = deps.files ?? diskEffects;
  await requireWritableFolder(dir, files);
  const purpose = `backup ${verb}`;
  const lock = lockFolder(dir, { name: lockFileName, purpose, cure: 'try again when it has ended', now: deps.now() });
  try {
    await sweepFolder(dir, files);
    return await work(folderStore(dir, files, lock.assertHeld));
  } catch (err) {
    throw explainFailure(err, purpose, deps.signal);
  } finally {
    lock.release();
  }
}

async function requireWritableFolder(dir: string, files: FileEffects): Promise<void> {
  try {
    await makeFolder(dir, files);
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (err) {
    throw new BackupRefusedError('directory-not-writable', `backup folder ${dir} is not writable: ${messageOf(err)}; check BACKUP_DIR`, {
      cause: err,
    });
  }
}

/** One level at a time: `recursive` loops for ever in file systems that answer ENOENT for a new name, such as /proc. */
async function makeFolder(dir: string, files: FileEffects): Promise<void> {
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory()) return;
  const parent = dirname(dir);
  if (parent !== dir) await makeFolder(parent, files);
  try {
    await files.makeFolder(dir);
  } catch (err) {
    // Another run may have been quicker; a file of that name stays a fault.
    if (found === undefined && (err as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw err;
  }
  // A set is no safer than the folder it is in.
  await files.syncFolder(parent);
}
