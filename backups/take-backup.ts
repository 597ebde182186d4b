import { join, resolve } from 'node:path';
import { retry } from '#lib/retry.ts';
import { CommandError } from '#lib/run-command.ts';
import type { BackupDeps } from './backup-deps.ts';
import { lockDatabase, lockDirectory } from './set/folder-lock.ts';
import { readCatalogue, sizeOf } from './set/catalogue.ts';
import { openSession } from './postgres/connection.ts';
import { BackupFailedError, explainFailure } from './errors.ts';
import type { Manifest } from './set/manifest.ts';
import { requireTool } from './postgres/pg-tools.ts';
import { requireReadableDatabase, requireSpace, requireWritableDirectory } from './pre-checks.ts';
import { readDatabaseFacts } from './postgres/snapshot.ts';
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

/**
 * The checks and the dump, for a caller that holds the folder's lock.
 *
 * DDL that comes between our locks on the tables and those of pg_dump waits for us, and pg_dump behind it, while we wait
 * for pg_dump. PostgreSQL cannot see that circle; pg_dump gives up after 3 s, and once we let go the DDL goes through
 * and the next attempt finds the way free.
 */
export function dumpDatabase(deps: BackupDeps, set: Pick<SetSource, 'kind' | 'lock'>): Promise<Manifest> {
  return retry(() => dumpOnce(deps, set), {
    attempts: 3,
    firstDelayMs: 100,
    maxDelayMs: 1000,
    isRetryable: couldNotLock,
    ...(deps.signal ? { signal: deps.signal } : {}),
  });
}

const couldNotLock = (err: unknown): boolean =>
  err instanceof BackupFailedError && err.cause instanceof CommandError && /timeout[^]*LOCK TABLE/.test(err.cause.stderrTail);

async function dumpOnce(deps: BackupDeps, set: Pick<SetSource, 'kind' | 'lock'>): Promise<Manifest> {
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
