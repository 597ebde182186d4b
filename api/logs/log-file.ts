import { closeSync, fchmodSync, fstatSync, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { messageOf } from '#lib/errors.ts';
import { LineWriter, type LineWriterOptions } from './line-writer.ts';

export type LogFile = {
  /** Takes one whole line, newline included. Never waits, never throws. */
  readonly write: (line: string) => void;
  /** Goes over to a new file when the path no longer leads to the one that is open: it was renamed or removed. */
  readonly followPath: () => Promise<void>;
  /** Writes at once what is left; for the sudden end of a process. */
  readonly flushSync: () => void;
  /** Lines given up because the disk or the reader did not keep up. */
  readonly dropped: () => number;
  /** Writes what is left, waiting a second at most, and closes the file. */
  readonly close: () => Promise<void>;
};

const mode = 0o640;

/**
 * Appends lines to a file that several processes share and another program may rotate by renaming it.
 * The file is made with mode 0640 whatever the umask.
 * @throws when it cannot be opened
 */
export function openLogFile(path: string, options: LineWriterOptions): LogFile {
  const writer = new LineWriter(openForAppend(path), options);
  let isFollowing = false;
  const followPath = async (): Promise<void> => {
    if (isFollowing) return;
    isFollowing = true;
    try {
      if ((await inodeOf(path)) !== fstatSync(writer.fd).ino) writer.moveTo(openForAppend(path));
    } catch (err) {
      // The open file keeps taking lines, so nothing is lost.
      options.onProblem(`${path} cannot be opened again: ${messageOf(err)}`);
    } finally {
      isFollowing = false;
    }
  };
  const close = async (): Promise<void> => {
    await writer.finish();
    closeSync(writer.fd);
  };
  return { ...methodsOf(writer), followPath, close };
}

/** The same for a stream that is already open, such as standard output; there is no path to follow and nothing to close. */
export function openLogStream(fd: number, options: LineWriterOptions): LogFile {
  const writer = new LineWriter(fd, options);
  return { ...methodsOf(writer), followPath: () => Promise.resolve(), close: () => writer.finish() };
}

function methodsOf(writer: LineWriter): Pick<LogFile, 'write' | 'flushSync' | 'dropped'> {
  return { write: (line) => writer.write(line), flushSync: () => writer.flushSync(), dropped: () => writer.dropped };
}

const inodeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );

function openForAppend(path: string): number {
  const fd = openSync(path, 'a', mode);
  try {
    fchmodSync(fd, mode);
  } catch {
    // Another account made it; whoever may append may go on.
  }
  return fd;
}
