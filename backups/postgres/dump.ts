import type { Readable } from 'node:stream';
import { messageOf } from '#lib/errors.ts';
import { CommandError, runCommand, type Command } from '#lib/run-command.ts';
import { longestWorkMs, type BackupDeps } from '../deps.ts';
import { BackupFailedError } from '../errors.ts';
import type { StoredFile } from '../set/durable-files.ts';
import { dumpFileName, globalsFileName, type Fingerprint, type Manifest } from '../set/manifest.ts';
import type { SetDraft } from '../set/store.ts';
import { faultOfTool, pgDump, pgDumpAllGlobals } from './commands.ts';
import type { Session } from './connection.ts';
import { takeFingerprint } from './fingerprint.ts';
import { describeDatabase, type DatabaseDescription } from './properties.ts';
import { beginSnapshot } from './snapshot.ts';

type Dumped = DatabaseDescription & {
  readonly takenAt: string;
  readonly walPosition: string;
  readonly files: Manifest['files'];
  readonly fingerprint: Fingerprint;
};

/**
 * Writes the session's database, as of one instant, and the roles of its server into a draft. Dump and fingerprint read
 * the same snapshot, side by side.
 */
export async function dumpInto(
  draft: SetDraft,
  session: Session,
  deps: BackupDeps,
  options: { readonly rolePasswords: boolean },
): Promise<Dumped> {
  const { client, settings } = session;
  const snapshot = await beginSnapshot(client);
  const takenAt = deps.now().toISOString();
  const description = await describeDatabase(client, settings.POSTGRES_DB);
  const ended = Promise.withResolvers<void>();
  const onBytes = (bytes: number): void => deps.onProgress?.({ step: 'dump', bytes });
  const [dump, fingerprint] = await together(
    deps.signal,
    (signal) => run(pgDump(settings, { snapshot: snapshot.name }), { draft, name: dumpFileName, onBytes, signal }).finally(ended.resolve),
    async (signal) => {
      const found = await endedBy(signal, session, () => takeFingerprint(client));
      // The lock on the database is lost with its session, however well the dump goes on.
      await Promise.race([ended.promise, session.lost]);
      return found;
    },
  );
  await client.query('COMMIT');
  const globals = await run(pgDumpAllGlobals(settings, options), { draft, name: globalsFileName, onBytes: () => {}, signal: deps.signal });
  const files = { [dumpFileName]: dump, [globalsFileName]: globals };
  return { ...description, takenAt, walPosition: snapshot.walPosition, files, fingerprint };
}

type Destination = {
  readonly draft: SetDraft;
  readonly name: string;
  readonly onBytes: (written: number) => void;
  readonly signal: AbortSignal | undefined;
};

/**
 * Runs a dumping program into a file. A disk that cannot take the output ends the program, and is reported rather than
 * the broken pipe it causes.
 */
async function run(command: Command, { draft, name, onBytes, signal }: Destination): Promise<StoredFile> {
  const cannotWrite = new AbortController();
  let written: StoredFile | undefined;
  let writeError: unknown;
  const stdout = async (stream: Readable): Promise<void> => {
    try {
      written = await draft.write(name, stream, onBytes);
    } catch (err) {
      writeError = err;
      cannotWrite.abort();
      throw err;
    }
  };
  try {
    const either = signal ? AbortSignal.any([signal, cannotWrite.signal]) : cannotWrite.signal;
    await runCommand(command, { timeoutMs: longestWorkMs, signal: either, stdout });
  } catch (err) {
    if (writeError !== undefined && !signal?.aborted) {
      throw new BackupFailedError(`cannot write ${name}: ${messageOf(writeError)}`, { cause: writeError });
    }
    if (err instanceof CommandError) throw new BackupFailedError(faultOfTool(err), { cause: err });
    throw err;
  }
  if (!written || written.sizeBytes === 0) throw new BackupFailedError(`${command.file} ended well and wrote nothing`);
  return written;
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

type Task<T> = (signal: AbortSignal) => Promise<T>;

/**
 * Runs two tasks side by side. The first to fail, or the caller's signal, ends the other; both have ended when this
 * returns.
 * @throws the error of the task that failed first.
 */
export async function together<A, B>(signal: AbortSignal | undefined, one: Task<A>, other: Task<B>): Promise<[A, B]> {
  const failure = new AbortController();
  const both = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  let first: { readonly err: unknown } | undefined;
  const guarded = async <T>(task: Task<T>): Promise<T> => {
    try {
      return await task(both);
    } catch (err) {
      first ??= { err };
      failure.abort();
      throw err;
    }
  };
  const [a, b] = await Promise.allSettled([guarded(one), guarded(other)]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  throw first?.err;
}
