import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, messageOf } from '#lib/errors.ts';
import { createLogger, type Logger } from '#lib/logger.ts';
import type { LogSettings } from '#lib/settings.ts';
import { accessLine, type AccessEntry } from './access-line.ts';
import { openLogFile, openLogStream, type LogFile } from './log-file.ts';
import { securityLine, type SecurityEntry } from './security-line.ts';
import { announceWriter } from './writer-note.ts';

export type ApiLogs = {
  readonly logger: Logger;
  /** One line for each answered request. */
  readonly access: (entry: AccessEntry) => void;
  /** One line for what matters to the safety of accounts, whatever LOG_LEVEL is. */
  readonly security: (entry: SecurityEntry) => void;
  /**
   * Goes over to the files that are under their paths now, instead of at the next look. @returns the inode of each file by its
   * name, once it is the one under the path or a moment has passed
   */
  readonly reopen: () => Promise<Readonly<Record<string, number>>>;
  readonly dropped: () => number;
  /** Writes at once what is left; for the sudden end of a process. */
  readonly flushSync: () => void;
  /** Writes what is left and closes the files; the last thing a process does. */
  readonly close: () => Promise<void>;
};

export type ApiLogsOptions = {
  readonly settings: LogSettings;
  /** Number of the worker, in every access line; 0 in the primary. */
  readonly worker: number;
  /** File descriptor that also receives every line; default: standard output. */
  readonly stdout?: number;
  /** How often the paths are looked at for a rotation. */
  readonly followEveryMs?: number;
};

/**
 * The logs of one process: app.log (everything), error.log (errors and worse), access.log and security.log in LOG_DIR, and all of it
 * on standard output. Without LOG_DIR on standard output only. LOG_LEVEL decides what is logged; access lines always go to
 * access.log, those of security to security.log, and both to standard output when the level lets `info` through.
 * @throws {ConfigError} naming LOG_DIR when its files cannot be opened
 */
export async function openApiLogs({ settings, worker, stdout = 1, followEveryMs = 1_000 }: ApiLogsOptions): Promise<ApiLogs> {
  const console = openLogStream(stdout, { onProblem });
  const files = settings.LOG_DIR === undefined ? undefined : await openFiles(settings.LOG_DIR);
  const all = [console, ...(files ? Object.values(files) : [])];

  const logger = createLogger('api', settings, {
    write: (line) => {
      console.write(line);
      files?.app.write(line);
      if (files && isErrorLine(line)) files.error.write(line);
    },
  });
  const readers = [...(logger.isLevelEnabled('info') ? [console] : []), ...(files ? [files.access] : [])];
  const access = gatherLines(accessLine(settings.LOG_FORMAT, worker), readers);
  const guards = [...(logger.isLevelEnabled('info') ? [console] : []), ...(files ? [files.security] : [])];
  const asSecurityLine = securityLine(settings.LOG_FORMAT, worker);
  const inodes = (): Record<string, number> =>
    Object.fromEntries(Object.entries(files ?? {}).map(([name, file]) => [`${name}.log`, file.inode() as number]));
  const note = settings.LOG_DIR === undefined ? undefined : announceWriter(settings.LOG_DIR, { worker, inodes, onProblem });
  let isClosed = false;
  const follow = async (): Promise<void> => {
    await Promise.all(all.map((file) => file.followPath()));
    // Not before: until the next look it would name a file that nothing is written to any more, and not the one that is.
    if (!isClosed) note?.renew();
  };
  const followTimer = setInterval(() => void follow(), followEveryMs).unref();

  return {
    logger,
    access: access.add,
    security: (entry) => {
      const line = asSecurityLine(entry);
      for (const guard of guards) guard.write(line);
    },
    reopen: async () => {
      // A second time: the first may have joined a look that began before the rename.
      for (let look = 0; look < 2; look += 1) await follow();
      return inodes();
    },
    dropped: () => all.reduce((sum, file) => sum + file.dropped(), 0),
    flushSync: () => {
      access.handOver();
      for (const file of all) file.flushSync();
    },
    close: async () => {
      clearInterval(followTimer);
      isClosed = true;
      access.handOver();
      await Promise.all(all.map((file) => file.close()));
      note?.withdraw();
    },
  };
}

/** As many characters make it worth while to write, each write waking a thread; longest time that a line waits for others. */
const gathering = { length: 65_536, ms: 20 } as const;

/**
 * Access lines are encoded many at a time and once for all who read them: one by one that cost more than anything else that
 * the API itself does for a request.
 */
function gatherLines(format: (entry: AccessEntry) => string, readers: readonly LogFile[]) {
  let lines = '';
  let timer: NodeJS.Timeout | undefined;
  const handOver = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines === '') return;
    const bytes = Buffer.from(lines);
    lines = '';
    for (const reader of readers) reader.write(bytes);
  };
  const add = (entry: AccessEntry): void => {
    if (readers.length === 0) return;
    lines += format(entry);
    if (lines.length >= gathering.length) handOver();
    else timer ??= setTimeout(handOver, gathering.ms);
  };
  return { add, handOver };
}

/** The logs themselves fail: standard error is what is left. */
function onProblem(message: string): void {
  process.stderr.write(`api: ${message}\n`);
}

async function openFiles(dir: string): Promise<Record<'app' | 'error' | 'access' | 'security', LogFile>> {
  try {
    makeFolder(resolve(dir));
    const open = (name: string): Promise<LogFile> => openLogFile(join(dir, name), { onProblem });
    return {
      app: await open('app.log'),
      error: await open('error.log'),
      access: await open('access.log'),
      security: await open('security.log'),
    };
  } catch (err) {
    throw new ConfigError([`LOG_DIR=${dir}: log files cannot be opened: ${messageOf(err)}`], { cause: err });
  }
}

/** Step by step: Node's own recursive mode never returns below /proc, where nothing can be made. */
function makeFolder(dir: string): void {
  if (existsSync(dir)) return;
  makeFolder(dirname(dir));
  try {
    mkdirSync(dir, { mode: 0o750 });
  } catch (err) {
    // Another process of the same start may have been faster.
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
  }
}

/** Level stands first in a JSON line and after the time in a text line. */
function isErrorLine(line: string): boolean {
  return /^(?:\{"level":"(?:error|fatal)"|\S+ (?:ERROR|FATAL) )/.test(line);
}
