import { join, resolve } from 'node:path';
import { CommandError } from '#lib/run-command.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import type { BackupDeps } from './backup-deps.ts';
import { lockDirectory, type DirectoryLock } from './set/folder-lock.ts';
import { findSet, readCatalogue, type BackupSet } from './set/catalogue.ts';
import { findDamage } from './set/check-files.ts';
import { openSession } from './postgres/connection.ts';
import { BackupFailedError, BackupRefusedError, explainFailure } from './errors.ts';
import { dumpFileName, globalsFileName } from './set/manifest.ts';
import { faultOfTool, requireTool } from './postgres/pg-tools.ts';
import { requireWritableDirectory } from './pre-checks.ts';
import { replaceDatabase } from './postgres/replace-database.ts';
import { differencesOf, restoreDump } from './postgres/restore-dump.ts';
import { countRelationsOf, inspectTarget, nameOfOld, type TargetState } from './postgres/restore-target.ts';
import { withScratchDatabase, type ScratchDatabase, type ScratchServer } from './postgres/scratch-database.ts';
import { dumpDatabase } from './take-backup.ts';
import { requireServer } from './verify-backup.ts';

export type RestoreOptions = {
  /** An id, or `latest`: the newest regular set of the database that is not known to be bad. */
  readonly which: string;
  /** Name of the database that is to hold the content. */
  readonly target: string;
  /** Replace a database that is not empty, after a safety dump of it. */
  readonly force?: boolean;
  /** Leave out owners and grants, for a server that has not the roles. */
  readonly noOwner?: boolean;
};

export type RestoreResult = {
  readonly id: string;
  readonly target: string;
  readonly restoreMs: number;
  /** What a non-empty database was renamed to; it stays until someone drops it. */
  readonly keptAs?: string;
  /** Set that holds the replaced database. */
  readonly safetyBackupId?: string;
  /** What is not as it was, such as a locale this server does not have. */
  readonly notices: readonly string[];
};

/**
 * Restores a set. The content goes into a new database and is compared with the manifest there; only then does it take
 * the target's name. Until that moment the target is untouched.
 * @throws {BackupRefusedError} before anything is done: damaged files, an older server, missing roles, a target that is
 * not empty · {BackupFailedError} when the restored content differs · and as `verifyBackup`.
 */
export async function restoreBackup(given: BackupDeps, options: RestoreOptions): Promise<RestoreResult> {
  const deps = { ...given, dir: resolve(given.dir) };
  await requireWritableDirectory(deps.dir);
  const lock = await lockDirectory(deps.dir, 'backup restore', deps.now());
  try {
    const set = await requireWholeSet(deps, options.which);
    const server = await openMaintenance(deps.postgres, options.target);
    try {
      return await restoreSet({ deps, lock, server, set, options });
    } finally {
      await server.session.close();
    }
  } catch (err) {
    throw explainFailure(err, 'backup restore', deps.signal);
  } finally {
    await lock.release();
  }
}

type Restore = {
  readonly deps: BackupDeps;
  readonly lock: DirectoryLock;
  readonly server: ScratchServer;
  readonly set: BackupSet;
  readonly options: RestoreOptions;
};

async function requireWholeSet(deps: BackupDeps, which: string): Promise<BackupSet> {
  const catalogue = await readCatalogue(deps.dir);
  const sets = which === 'latest' ? catalogue.sets.filter(({ manifest }) => manifest.state !== 'failed') : catalogue.sets;
  const set = findSet({ ...catalogue, sets }, which, deps.postgres.POSTGRES_DB);
  const damage = 'reason' in set ? [set.reason] : await findDamage(set, deps);
  if ('manifest' in set && damage.length === 0) return set;
  throw new BackupRefusedError('set-damaged', `backup ${set.id} is damaged: ${damage.join('; ')}; choose another: npm run backup -- list`);
}

/** A session outside the target, since a database with a session cannot be renamed. */
async function openMaintenance(settings: PostgresSettings, target: string): Promise<ScratchServer> {
  const maintenance = { ...settings, POSTGRES_DB: target === 'postgres' ? 'template1' : 'postgres' };
  return { session: await openSession(maintenance), settings: maintenance };
}

async function restoreSet(restore: Restore): Promise<RestoreResult> {
  const { deps, server, set, options } = restore;
  requireServer(server.session, set);
  const { serverMajor } = server.session;
  const { major: toolMajor } = await requireTool('pg_restore', Math.max(set.manifest.pgDump.major, serverMajor));
  if (!options.noOwner) await requireRoles(restore);
  const target = await inspectTarget({ ...deps.postgres, POSTGRES_DB: options.target }, options.force ?? false);
  const safetyBackupId = target === 'filled' ? await takeSafetyBackup(restore) : undefined;
  return withScratchDatabase(server, set.manifest.locale, async (scratch) => {
    const startedAt = performance.now();
    deps.onProgress?.({ step: 'restore' });
    const scope = options.noOwner ? 'data' : 'everything';
    const order = { dumpPath: join(set.path, dumpFileName), into: scratch.settings, scope, serverMajor, toolMajor } as const;
    await restoreDump({ ...order, ...(deps.signal ? { signal: deps.signal } : {}) }).catch((err: unknown) => {
      if (!(err instanceof CommandError)) throw err;
      throw new BackupFailedError(`backup ${set.id} could not be restored, so nothing was put in place: ${faultOfTool(err)}`, {
        cause: err,
      });
    });
    const restoreMs = Math.round(performance.now() - startedAt);
    await requireSameContent(restore, scratch.settings);
    await analyse(scratch.settings, deps.signal);
    deps.onProgress?.({ step: 'swap' });
    deps.signal?.throwIfAborted();
    const placed = await putInPlace(restore, scratch, target);
    const safety = safetyBackupId === undefined ? {} : { safetyBackupId };
    return { id: set.id, target: options.target, restoreMs, ...safety, ...placed };
  });
}

async function requireRoles({ server, set }: Restore): Promise<void> {
  const { rows } = await server.session.client.query<{ name: string }>(
    'SELECT name FROM unnest($1::text[]) AS name WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)',
    [[...set.manifest.roles]],
  );
  if (rows.length === 0) return;
  const names = rows.map((row) => row.name).join(', ');
  const globals = join(set.path, globalsFileName);
  throw new BackupRefusedError('roles-missing', `the server has no role ${names}; create it from ${globals}, or restore with --no-owner`);
}

async function takeSafetyBackup({ deps, lock, options }: Restore): Promise<string> {
  const postgres = { ...deps.postgres, POSTGRES_DB: options.target };
  const { id } = await dumpDatabase({ ...deps, postgres }, { kind: 'safety', lock });
  return id;
}

async function requireSameContent({ deps, set }: Restore, restored: PostgresSettings): Promise<void> {
  deps.onProgress?.({ step: 'compare' });
  const differences = await differencesOf(restored, set.manifest.fingerprint, deps.signal);
  if (differences.length === 0) return;
  throw new BackupFailedError(
    `backup ${set.id} does not restore to what was dumped, so nothing was put in place: ${differences.join('; ')}`,
  );
}

/** A fresh database has no statistics, and the first hours of queries would be planned blindly. */
async function analyse(settings: PostgresSettings, signal: AbortSignal | undefined): Promise<void> {
  const session = await openSession(settings, signal);
  try {
    await session.client.query('ANALYZE');
  } finally {
    await session.close();
  }
}

async function putInPlace(
  { deps, server, options }: Restore,
  scratch: ScratchDatabase,
  target: TargetState,
): Promise<Pick<RestoreResult, 'keptAs' | 'notices'>> {
  const { client } = server.session;
  const locale = scratch.hasLocale ? [] : [`this server lacks the locale of the backup; "${options.target}" sorts by C`];
  if (target === 'absent') {
    await client.query(`ALTER DATABASE ${client.escapeIdentifier(scratch.name)} RENAME TO ${client.escapeIdentifier(options.target)}`);
    return { notices: locale };
  }
  const old = nameOfOld(options.target, deps.now());
  const replacement = { from: scratch.name, target: options.target, old, endSessions: options.force ?? false };
  const notices = [...locale, ...(await replaceDatabase(client, replacement))];
  // An empty target may have been filled meanwhile.
  const isStillEmpty = target === 'empty' && (await countRelationsOf({ ...deps.postgres, POSTGRES_DB: old })) === 0;
  if (!isStillEmpty) return { keptAs: old, notices };
  await client.query(`DROP DATABASE ${client.escapeIdentifier(old)}`);
  return { notices };
}
