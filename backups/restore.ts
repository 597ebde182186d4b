import { join } from 'node:path';
import type { BackupDeps } from './deps.ts';
import { BackupFailedError, BackupRefusedError } from './errors.ts';
import { withSession, type Session } from './postgres/connection.ts';
import { missingRoles } from './postgres/privileges.ts';
import { applyProperties, describeDatabase } from './postgres/properties.ts';
import { inspectTarget, keepOrDrop, nameOfOld, replaceDatabase, type TargetState } from './postgres/replace.ts';
import { requireFitness, restoreInto, type Restored } from './postgres/restore.ts';
import type { ScratchDatabase } from './postgres/scratch.ts';
import { findDamage, findUsableSet, type BackupSet } from './set/catalogue.ts';
import { withLockedFolder } from './set/folder-lock.ts';
import { globalsFileName, type DatabaseProperties } from './set/manifest.ts';
import type { SetStore } from './set/store.ts';
import { dumpDatabase } from './take.ts';

type RestoreOptions = {
  /** An id, or `latest`: the newest regular set of the database that is not known to be bad. */
  readonly which: string;
  /** Name of the database that is to hold the content. */
  readonly target: string;
  /** Take the place of a database that is not empty, after a safety backup of it, once nobody uses it. */
  readonly swap?: boolean;
  /** As `swap`, and end the sessions there. */
  readonly force?: boolean;
  /** Leave out owners, grants and settings of roles, for a server that has not the roles. */
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
 * not empty · {BackupFailedError} when what was restored differs · and as `verifyBackup`.
 */
export function restoreBackup(deps: BackupDeps, options: RestoreOptions): Promise<RestoreResult> {
  return withLockedFolder(deps, 'restore', async (store) => {
    const set = await requireWholeSet(deps, store, options.which);
    // Outside the target, since a database with a session cannot be renamed; not ended by the signal, since it tidies up.
    const maintenance = { ...deps.postgres, POSTGRES_DB: options.target === 'postgres' ? 'template1' : 'postgres' };
    return withSession(maintenance, undefined, (server) => restoreSet({ deps, store, server, set, options }));
  });
}

type Restore = {
  readonly deps: BackupDeps;
  readonly store: SetStore;
  readonly server: Session;
  readonly set: BackupSet;
  readonly options: RestoreOptions;
};

async function requireWholeSet(deps: BackupDeps, store: SetStore, which: string): Promise<BackupSet> {
  const set = findUsableSet(await store.read(), which, deps.postgres.POSTGRES_DB);
  const damage = 'reason' in set ? [set.reason] : await findDamage(set, deps);
  if ('manifest' in set && damage.length === 0) return set;
  throw new BackupRefusedError('set-damaged', `backup ${set.id} is damaged: ${damage.join('; ')}; choose another: npm run backup -- list`);
}

async function restoreSet(restore: Restore): Promise<RestoreResult> {
  const { deps, store, server, set, options } = restore;
  await requireFitness(server, set);
  if (!options.noOwner) await requireRoles(restore);
  const postgres = { ...deps.postgres, POSTGRES_DB: options.target };
  const target = await inspectTarget(postgres, (options.swap ?? false) || (options.force ?? false));
  const safety = target === 'filled' ? { safetyBackupId: (await dumpDatabase({ ...deps, postgres }, store, 'safety')).id } : {};
  const scope = options.noOwner ? 'data' : 'everything';
  return restoreInto(server, { set, deps, scope }, async ({ scratch, differences, notices, restoreMs = 0 }) => {
    requireEqual(set, differences);
    await withSession(scratch.settings, deps.signal, analyse);
    deps.onProgress?.({ step: 'swap' });
    deps.signal?.throwIfAborted();
    const placed = await putInPlace(restore, scratch, target);
    return { id: set.id, target: options.target, restoreMs, ...safety, ...placed, notices: [...notices, ...placed.notices] };
  });
}

async function requireRoles({ server, set }: Restore): Promise<void> {
  const missing = await missingRoles(server.client, set.manifest.roles);
  if (missing.length === 0) return;
  const globals = join(set.path, globalsFileName);
  throw new BackupRefusedError(
    'roles-missing',
    `the server has no role ${missing.join(', ')}; create it from ${globals}, or restore with --no-owner`,
  );
}

function requireEqual(set: BackupSet, differences: Restored['differences']): void {
  if (differences.length === 0) return;
  throw new BackupFailedError(
    `backup ${set.id} does not restore to what was dumped, so nothing was put in place: ${differences.join('; ')}`,
  );
}

/** A fresh database has no statistics, and the first hours of queries would be planned blindly. */
async function analyse({ client }: Session): Promise<void> {
  await client.query('ANALYZE');
}

async function putInPlace(
  { deps, server, set, options }: Restore,
  scratch: ScratchDatabase,
  target: TargetState,
): Promise<Pick<RestoreResult, 'keptAs' | 'notices'>> {
  const { client } = server;
  if (target === 'absent') {
    await client.query(`ALTER DATABASE ${client.escapeIdentifier(scratch.name)} RENAME TO ${client.escapeIdentifier(options.target)}`);
    return { notices: [] };
  }
  const replaced = await describeDatabase(client, options.target);
  const { properties } = set.manifest;
  // Where the set does not say how its database was set up, or may not, the one that is there does.
  const inherits = properties === undefined || options.noOwner === true;
  if (inherits) await applyProperties(client, scratch.name, replaced.properties, 'everything');
  const old = nameOfOld(options.target, deps.now());
  await replaceDatabase(client, { from: scratch.name, target: options.target, old, endSessions: options.force ?? false });
  const isKept = await keepOrDrop(server, target, old);
  return { ...(isKept ? { keptAs: old } : {}), notices: inherits || !isKept ? [] : lostSettings(replaced.properties, properties, old) };
}

const asText = ({ role, name, value }: DatabaseProperties['settings'][number]): string =>
  `${name} = ${value}${role === undefined ? '' : ` of role ${role}`}`;

/** Settings of the replaced database that the restored one does not have. */
function lostSettings(replaced: DatabaseProperties, restored: DatabaseProperties, old: string): string[] {
  const kept = new Set(restored.settings.map(asText));
  const lost = replaced.settings.map(asText).filter((text) => !kept.has(text));
  return lost.map((text) => `setting ${text} of "${old}" is not in the backup; set it again if it is wanted`);
}
