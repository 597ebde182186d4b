import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { libpqEnvironment } from '#lib/postgres.ts';
import { CommandError, runCommand } from '#lib/run-command.ts';
import { messageOf } from '#lib/errors.ts';
import { applicationName, longestWorkMs, type BackupDeps } from './backup-deps.ts';
import type { DirectoryLock } from './set/folder-lock.ts';
import { lockFileName } from './set/folder-lock.ts';
import type { Session } from './postgres/connection.ts';
import { syncDirectory, writeDurably, type StoredFile } from './set/durable-files.ts';
import { BackupFailedError } from './errors.ts';
import { takeFingerprint } from './postgres/fingerprint.ts';
import { dumpFileName, globalsFileName, writeManifest, type Manifest } from './set/manifest.ts';
import { pgDumpAllArgs, pgDumpArgs } from './postgres/pg-commands.ts';
import { faultOfTool, type ToolVersion } from './postgres/pg-tools.ts';
import { beginSnapshot, readDatabaseFacts, type DatabaseFacts } from './postgres/snapshot.ts';
import { together } from './postgres/together.ts';

export type SetSource = {
  readonly session: Session;
  readonly pgDump: ToolVersion;
  readonly kind: Manifest['kind'];
  readonly lock: DirectoryLock;
};

/** Work that has not become a set yet, or is no set any more; nothing reads these names. */
const partPrefix = '.part-';
export const expiredPrefix = '.expired-';

/**
 * Dumps the session's database into a new set. The set appears under its own name as a whole, on the disk, or not at
 * all. The caller holds the folder's lock.
 */
export async function writeSet(deps: BackupDeps, source: SetSource): Promise<Manifest> {
  await sweepLeftovers(deps.dir);
  const part = join(deps.dir, `${partPrefix}${randomUUID()}`);
  await mkdir(part, { mode: 0o700 });
  try {
    const manifest = await fillSet(deps, source, part);
    deps.onProgress?.({ step: 'publish' });
    await source.lock.assertHeld();
    deps.signal?.throwIfAborted();
    await rename(part, join(deps.dir, manifest.id));
    await syncDirectory(deps.dir);
    return manifest;
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** Removes what runs that were killed have left. Only under the folder's lock: then no living run owns any of it. */
export async function sweepLeftovers(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const isLeftover = [partPrefix, expiredPrefix, `${lockFileName}.`].some((prefix) => name.startsWith(prefix));
    if (isLeftover) await rm(join(dir, name), { recursive: true, force: true });
  }
}

async function fillSet(deps: BackupDeps, source: SetSource, part: string): Promise<Manifest> {
  const { session, kind, pgDump } = source;
  const startedAt = performance.now();
  const facts = await readDatabaseFacts(session.client);
  const snapshot = await beginSnapshot(session.client);
  const takenAt = deps.now();
  const dumped = Promise.withResolvers<void>();
  const [dump, fingerprint] = await together(
    deps.signal,
    (signal) =>
      dumpTo(join(part, dumpFileName), { file: 'pg_dump', args: pgDumpArgs({ snapshot: snapshot.name }) }, { ...deps, signal }).finally(
        dumped.resolve,
      ),
    async (signal) => {
      const found = await endedBy(signal, session, () => takeFingerprint(session.client));
      // The lock on the database is lost with its session, however well the dump goes on.
      await Promise.race([dumped.promise, session.lost]);
      return found;
    },
  );
  await session.client.query('COMMIT');
  const globals = await dumpTo(join(part, globalsFileName), { file: 'pg_dumpall', args: globalsArgs(facts) }, withoutProgress(deps));
  const { isSuperuser: _isSuperuser, ...stored } = facts;
  const manifest: Manifest = {
    formatVersion: 1,
    id: await freeId(deps.dir, takenAt),
    kind,
    state: 'written',
    takenAt: takenAt.toISOString(),
    ...stored,
    walPosition: snapshot.walPosition,
    server: { version: session.serverVersion, major: session.serverMajor },
    pgDump: { version: pgDump.text, major: pgDump.major },
    durationMs: Math.round(performance.now() - startedAt),
    files: { [dumpFileName]: dump, [globalsFileName]: globals },
    fingerprint,
  };
  await writeManifest(part, manifest);
  return manifest;
}

const globalsArgs = (facts: DatabaseFacts): string[] => pgDumpAllArgs({ database: facts.database, rolePasswords: facts.isSuperuser });

function withoutProgress(deps: BackupDeps): BackupDeps {
  return { ...deps, onProgress: () => {} };
}

/** A query cannot be told to stop by a signal; closing its session can. */
async function endedBy<T>(signal: AbortSignal, session: Session, work: () => Promise<T>): Promise<T> {
  const onAbort = (): void => void session.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Runs a dumping program into a file. A disk that cannot take the output ends the program, and is reported rather than
 * the broken pipe it causes.
 */
async function dumpTo(
  path: string,
  command: { readonly file: string; readonly args: readonly string[] },
  deps: BackupDeps,
): Promise<StoredFile> {
  const cannotWrite = new AbortController();
  let written: StoredFile | undefined;
  let writeError: unknown;
  const stdout = async (stream: Readable): Promise<void> => {
    try {
      written = await writeDurably(path, stream, (bytes) => deps.onProgress?.({ step: 'dump', bytes }));
    } catch (err) {
      writeError = err;
      cannotWrite.abort();
      throw err;
    }
  };
  const env = libpqEnvironment(deps.postgres, applicationName);
  const signal = deps.signal ? AbortSignal.any([deps.signal, cannotWrite.signal]) : cannotWrite.signal;
  try {
    await runCommand({ ...command, env }, { timeoutMs: longestWorkMs, signal, stdout });
  } catch (err) {
    if (writeError !== undefined && !deps.signal?.aborted) {
      throw new BackupFailedError(`cannot write ${path}: ${messageOf(writeError)}`, { cause: writeError });
    }
    if (err instanceof CommandError) throw new BackupFailedError(faultOfTool(err), { cause: err });
    throw err;
  }
  if (!written || written.sizeBytes === 0) throw new BackupFailedError(`${command.file} ended well and wrote nothing`);
  return written;
}

/** The snapshot's second, or the next one that no set is named after yet. */
async function freeId(dir: string, takenAt: Date): Promise<string> {
  for (let seconds = 0; ; seconds += 1) {
    const id = new Date(takenAt.getTime() + seconds * 1000).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
    const isTaken = await stat(join(dir, id)).then(
      () => true,
      () => false,
    );
    if (!isTaken) return id;
  }
}
