import { join, resolve } from 'node:path';
import type { BackupDeps } from './backup-deps.ts';
import { lockDatabase, lockDirectory } from './backup-lock.ts';
import { readCatalogue, sizeOf } from './catalogue.ts';
import { openSession } from './connection.ts';
import { explainFailure } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { requireTool } from './pg-tools.ts';
import { requireReadableDatabase, requireSpace, requireWritableDirectory } from './pre-checks.ts';
import { readDatabaseFacts } from './snapshot.ts';
import { writeSet, type SetSource } from './write-set.ts';

export type TakenBackup = {
  readonly id: string;
  readonly sizeBytes: number;
  /** Folder of the set. */
  readonly path: string;
};

/**
 * Dumps the database, as of one instant, into a new set of `deps.dir`: dump, roles, and a manifest with checksums and
 * the content's fingerprint. Only `verifyBackup` proves it.
 * @throws {BusyError} when another run uses the folder or backs up the database · {UnreachableError} ·
 * {BackupRefusedError} when a check made beforehand fails · {BackupFailedError} · {BackupCanceledError}. In every case
 * no set, whole or partial, is left.
 */
export async function takeBackup(given: BackupDeps): Promise<TakenBackup> {
  const deps = { ...given, dir: resolve(given.dir) };
  await requireWritableDirectory(deps.dir);
  const lock = await lockDirectory(deps.dir, 'backup take', deps.now());
  try {
    const manifest = await dumpDatabase(deps, { kind: 'regular', lock });
    return { id: manifest.id, sizeBytes: sizeOf(manifest), path: join(deps.dir, manifest.id) };
  } catch (err) {
    throw explainFailure(err, 'backup take', deps.signal);
  } finally {
    await lock.release();
  }
}

/** The checks and the dump, for a caller that holds the folder's lock. */
export async function dumpDatabase(deps: BackupDeps, set: Pick<SetSource, 'kind' | 'lock'>): Promise<Manifest> {
  deps.onProgress?.({ step: 'check' });
  const session = await openSession(deps.postgres, deps.signal);
  try {
    const pgDump = await requireTool('pg_dump', session.serverMajor);
    await lockDatabase(session.client);
    await requireReadableDatabase(session.client);
    const { database, databaseBytes } = await readDatabaseFacts(session.client);
    await requireSpace(deps.dir, { name: database, bytes: databaseBytes }, await readCatalogue(deps.dir));
    return await writeSet(deps, { ...set, session, pgDump });
  } finally {
    await session.close();
  }
}
