import { retry } from '#lib/retry.ts';
import { CommandError } from '#lib/run-command.ts';
import { showBytes } from '#lib/show.ts';
import type { BackupDeps } from './deps.ts';
import { BackupFailedError, BackupRefusedError } from './errors.ts';
import { requireTool } from './postgres/commands.ts';
import { withSession } from './postgres/connection.ts';
import { dumpInto } from './postgres/dump.ts';
import { rolesIn } from './postgres/properties.ts';
import { sweepScratch } from './postgres/scratch.ts';
import { lockDatabase, readDatabaseFacts, requireReadableDatabase } from './postgres/snapshot.ts';
import { sizeOf, type BackupSet } from './set/catalogue.ts';
import { withLockedFolder } from './set/folder-lock.ts';
import type { Manifest } from './set/manifest.ts';
import type { SetStore } from './set/store.ts';

export type TakenBackup = {
  readonly id: string;
  readonly sizeBytes: number;
  /** Folder of the set. */
  readonly path: string;
};

/**
 * Dumps the database, as of one instant, into a new set of `deps.dir`: dump, roles, and a manifest with checksums and
 * the fingerprint of content and schema. Only `verifyBackup` proves it.
 * @throws {BusyError} when another run uses the folder or backs up the database · {UnreachableError} ·
 * {BackupRefusedError} when a check made beforehand fails · {BackupFailedError} · {BackupCanceledError}. In every case
 * no set, whole or partial, is left.
 */
export function takeBackup(deps: BackupDeps): Promise<TakenBackup> {
  return withLockedFolder(deps, 'take', async (store) => {
    const { id, path, manifest } = await dumpDatabase(deps, store, 'regular');
    return { id, path, sizeBytes: sizeOf(manifest) };
  });
}

/**
 * The checks and the dump, for a caller that holds the folder.
 *
 * DDL that comes between our locks on the tables and those of pg_dump waits for us, and pg_dump behind it, while we wait
 * for pg_dump. PostgreSQL cannot see that circle; pg_dump gives up after 3 s, and once we let go the DDL goes through
 * and the next attempt finds the way free.
 */
export function dumpDatabase(deps: BackupDeps, store: SetStore, kind: Manifest['kind']): Promise<BackupSet> {
  return retry(() => dumpOnce(deps, store, kind), {
    attempts: 3,
    firstDelayMs: 100,
    maxDelayMs: 1000,
    isRetryable: couldNotLock,
    ...(deps.signal ? { signal: deps.signal } : {}),
  });
}

const couldNotLock = (err: unknown): boolean =>
  err instanceof BackupFailedError && err.cause instanceof CommandError && /timeout[^]*LOCK TABLE/.test(err.cause.stderrTail);

function dumpOnce(deps: BackupDeps, store: SetStore, kind: Manifest['kind']): Promise<BackupSet> {
  deps.onProgress?.({ step: 'check' });
  return withSession(deps.postgres, deps.signal, async (session) => {
    const { client, serverVersion, serverMajor } = session;
    const pgDump = await requireTool('pg_dump', serverMajor);
    await lockDatabase(client);
    await sweepScratch(client);
    await requireReadableDatabase(client);
    const startedAt = performance.now();
    const { isSuperuser, ...facts } = await readDatabaseFacts(client);
    await requireSpace(store, { name: facts.database, bytes: facts.databaseBytes });
    const draft = await store.draft();
    try {
      const dumped = await dumpInto(draft, session, deps, { rolePasswords: isSuperuser });
      deps.onProgress?.({ step: 'publish' });
      deps.signal?.throwIfAborted();
      return await draft.publish({
        kind,
        state: 'written',
        ...facts,
        ...dumped,
        roles: [...new Set([...facts.roles, ...rolesIn(dumped.properties)])].toSorted(),
        server: { version: serverVersion, major: serverMajor },
        pgDump: { version: pgDump.text, major: pgDump.major },
        durationMs: Math.round(performance.now() - startedAt),
      });
    } finally {
      await draft.discard();
    }
  });
}

/** Kept free beyond what the dump is thought to need, for whatever else writes there meanwhile. */
const reserveBytes = 64 * 1024 * 1024;

/**
 * Free bytes a dump asks for: the last good one and a third, or half the database, whichever is more, and a reserve. Pure.
 * @param sizes.lastGoodBytes 0 when there is none
 */
export function spaceNeededBytes(sizes: { readonly databaseBytes: number; readonly lastGoodBytes: number }): number {
  return Math.ceil(Math.max(1.3 * sizes.lastGoodBytes, 0.5 * sizes.databaseBytes)) + reserveBytes;
}

/** @throws {BackupRefusedError} `no-space`, with both figures. */
async function requireSpace(store: SetStore, database: { readonly name: string; readonly bytes: number }): Promise<void> {
  const { sets } = await store.read();
  const lastGood = sets.find(({ manifest }) => manifest.database === database.name && manifest.state !== 'failed');
  const neededBytes = spaceNeededBytes({ databaseBytes: database.bytes, lastGoodBytes: lastGood ? sizeOf(lastGood.manifest) : 0 });
  const freeBytes = await store.freeBytes();
  if (freeBytes >= neededBytes) return;
  throw new BackupRefusedError(
    'no-space',
    `${store.where} has ${showBytes(freeBytes)} free and the backup may need ${showBytes(neededBytes)}; free some space or set BACKUP_DIR to another disk`,
  );
}
