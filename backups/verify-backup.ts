import { join, resolve } from 'node:path';
import { CommandError } from '#lib/run-command.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import type { BackupDeps } from './backup-deps.ts';
import { lockDirectory } from './set/folder-lock.ts';
import { findSet, readCatalogue, type BackupSet } from './set/catalogue.ts';
import { findDamage } from './set/check-files.ts';
import { isMissingDatabase, openSession, type Session } from './postgres/connection.ts';
import { BackupFailedError, BackupRefusedError, explainFailure } from './errors.ts';
import { dumpFileName, writeManifest } from './set/manifest.ts';
import { faultOfTool, requireTool } from './postgres/pg-tools.ts';
import { requireWritableDirectory } from './pre-checks.ts';
import { differencesOf, readWholeDump, restoreDump } from './postgres/restore-dump.ts';
import { withScratchDatabase } from './postgres/scratch-database.ts';

export type VerifyResult = {
  readonly id: string;
  readonly ok: boolean;
  /** One line each, beginning with the file, table or sequence at fault; empty when `ok`. */
  readonly reasons: readonly string[];
  /** What the restore took: the measured recovery time. Absent when it was not reached. */
  readonly restoreMs?: number;
};

/**
 * Proves a set: its files are as written, and restored into a scratch database they give the content of the snapshot.
 * The outcome is stored in the set's manifest. A fault that is not the set's own, such as a server that goes away, is
 * thrown and changes nothing.
 * @param which an id, or `latest`: the newest regular set of the database
 * @throws {BusyError} · {UnreachableError} · {BackupNotFoundError} · {BackupRefusedError} · {BackupCanceledError}
 */
export async function verifyBackup(given: BackupDeps, which: string): Promise<VerifyResult> {
  const deps = { ...given, dir: resolve(given.dir) };
  await requireWritableDirectory(deps.dir);
  const lock = await lockDirectory(deps.dir, 'backup verify', deps.now());
  try {
    const set = findSet(await readCatalogue(deps.dir), which, deps.postgres.POSTGRES_DB);
    if ('reason' in set) return { id: set.id, ok: false, reasons: [set.reason] };
    return await verifySet(deps, set);
  } catch (err) {
    throw explainFailure(err, 'backup verify', deps.signal);
  } finally {
    await lock.release();
  }
}

type Proof = Pick<VerifyResult, 'reasons' | 'restoreMs'>;

async function verifySet(deps: BackupDeps, set: BackupSet): Promise<VerifyResult> {
  const startedAt = performance.now();
  const damage = await findDamage(set, deps);
  const proof: Proof = damage.length > 0 ? { reasons: damage } : await proveByRestore(deps, set);
  const ok = proof.reasons.length === 0;
  await writeManifest(set.path, {
    ...set.manifest,
    state: ok ? 'verified' : 'failed',
    verification: {
      at: deps.now().toISOString(),
      durationMs: Math.round(performance.now() - startedAt),
      ...(proof.restoreMs === undefined ? {} : { restoreMs: proof.restoreMs }),
      reasons: [...proof.reasons],
    },
  });
  return { id: set.id, ok, ...proof };
}

async function proveByRestore(deps: BackupDeps, set: BackupSet): Promise<Proof> {
  const server = await openServer(deps.postgres);
  try {
    const { major: toolMajor } = await requireTool('pg_restore', Math.max(set.manifest.pgDump.major, server.session.serverMajor));
    requireServer(server.session, set);
    deps.onProgress?.({ step: 'read' });
    const dumpPath = join(set.path, dumpFileName);
    const unreadable = await faultOf('cannot be read to its end', server.session, () => readWholeDump(dumpPath, deps.signal));
    if (unreadable) return { reasons: [unreadable] };
    return await withScratchDatabase(server, set.manifest.locale, async (scratch) => {
      deps.onProgress?.({ step: 'restore' });
      const startedAt = performance.now();
      const order = { dumpPath, into: scratch.settings, scope: 'data', serverMajor: server.session.serverMajor, toolMajor } as const;
      const fault = await faultOf('cannot be restored', server.session, () =>
        restoreDump({ ...order, ...(deps.signal ? { signal: deps.signal } : {}) }),
      );
      const restoreMs = Math.round(performance.now() - startedAt);
      if (fault) return { reasons: [fault], restoreMs };
      deps.onProgress?.({ step: 'compare' });
      return { reasons: await differencesOf(scratch.settings, set.manifest.fingerprint, deps.signal), restoreMs };
    });
  } finally {
    await server.session.close();
  }
}

/** The server of the backed-up database; where that database is gone, by way of `postgres`. */
async function openServer(settings: PostgresSettings): Promise<{ session: Session; settings: PostgresSettings }> {
  try {
    return { session: await openSession(settings), settings };
  } catch (err) {
    if (!isMissingDatabase(err)) throw err;
    const maintenance = { ...settings, POSTGRES_DB: 'postgres' };
    return { session: await openSession(maintenance), settings: maintenance };
  }
}

/** @throws {BackupRefusedError} `server-too-old`: a dump cannot be relied on to load into an older server. */
export function requireServer(session: Session, set: BackupSet): void {
  const { server } = set.manifest;
  if (session.serverMajor >= server.major) return;
  const text = `backup ${set.id} is of PostgreSQL ${server.version}; this server (${session.serverVersion}) is older`;
  throw new BackupRefusedError('server-too-old', `${text}; set POSTGRES_HOST to a server of version ${server.major} or newer`);
}

/** Faults of the machine or the server; they say nothing about the dump. */
const foreignFault =
  /no space left on device|out of memory|too many (clients|connections)|server closed the connection|could not connect|connection to server|the database system is/i;

/** The set's fault when `work` fails through it. Whatever else made it fail is thrown. */
async function faultOf(what: string, server: Session, work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (err) {
    if (!(err instanceof CommandError) || err.status === null) throw err;
    if (foreignFault.test(err.stderrTail))
      throw new BackupFailedError(`the backup could not be verified: ${faultOfTool(err)}`, { cause: err });
    await server.client.query('SELECT');
    return `${dumpFileName}: ${what}: ${faultOfTool(err)}`;
  }
}
