import { once } from 'node:events';
import { closeSync, fchmodSync, fstatSync, openSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { devNull } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import sonicBoom from 'sonic-boom';
import { messageOf } from '#lib/errors.ts';
import { goOnWithWholeLines, newline, type WritingBoom } from './whole-lines.ts';

export type LogFile = {
  /** Takes whole lines, newlines included; what is given must not be changed afterwards. Never waits, never throws. */
  readonly write: (lines: string | Buffer) => void;
  /**
   * Goes over to a new file when the path no longer leads to the one that is open: it was renamed or removed. Resolves once it has,
   * or half a second later, as when the disk takes nothing: it then goes over as soon as it can.
   */
  readonly followPath: () => Promise<void>;
  /** Of the file that lines go to: once it has changed, nothing more is written to the one before. Undefined for a stream. */
  readonly inode: () => number | undefined;
  /** Writes at once what is left, as far as it can be written; for the sudden end of a process. */
  readonly flushSync: () => void;
  /** Lines given up because the disk or the reader did not keep up. */
  readonly dropped: () => number;
  /** Writes what is left, waiting a second at most, and closes the file. */
  readonly close: () => Promise<void>;
};

export type LogFileOptions = {
  /** Told of trouble in words for people, once until writing succeeds again. */
  readonly onProblem: (message: string) => void;
  /** Longest time a line waits for others to be written with it. */
  readonly flushAfterMs?: number;
};

const [mode, followWithinMs] = [0o640, 500] as const;

/**
 * Appends lines to a file that several processes share and another program may rotate by renaming it.
 * The file is made with mode 0640 whatever the umask.
 * @throws when it cannot be opened
 */
export async function openLogFile(path: string, options: LogFileOptions): Promise<LogFile> {
  makeFile(path);
  const boom = new sonicBoom.SonicBoom({ dest: path, mode, ...batches });
  await once(boom, 'ready');
  let inode = openInode(boom);
  let following: Promise<void> | undefined;
  goOnWithWholeLines(boom as Boom & WritingBoom);
  const lines = createLines(boom, options);
  const goOver = async (): Promise<void> => {
    if ((await inodeOf(path)) === inode) return;
    // Made first: a reopening that failed would leave the writer with two ideas of its file.
    makeFile(path);
    await reopen(boom);
    inode = openInode(boom);
  };
  const followPath = async (): Promise<void> => {
    following ??= goOver()
      // The open file keeps taking lines, so nothing is lost.
      .catch((err: unknown) => options.onProblem(`${path} cannot be opened again: ${messageOf(err)}`))
      .finally(() => {
        following = undefined;
      });
    await Promise.race([following, sleep(followWithinMs, undefined, { ref: false })]);
  };
  const close = async (): Promise<void> => {
    await lines.finish();
    const closed = once(boom, 'close');
    boom.destroy();
    await closed;
  };
  return { ...lines, followPath, inode: () => inode, close };
}

/** Of the file that is open, not of the one now under its path: that may have been renamed meanwhile. */
const openInode = (boom: Boom): number => fstatSync((boom as Boom & WritingBoom).fd).ino;

/** A write that is under way delays the reopening until it has succeeded: one that fails would put it off for ever. */
function reopen(boom: Boom): Promise<void> {
  const again = (): void => boom.reopen();
  return new Promise((resolve) => {
    boom.once('error', again);
    boom.once('ready', () => {
      boom.off('error', again);
      resolve();
    });
    boom.reopen();
  });
}

/**
 * The same for a stream that is already open, such as standard output; there is no path to follow and nothing to close.
 * Nothing is written to the null device.
 */
export function openLogStream(fd: number, options: LogFileOptions): LogFile {
  const stream = { followPath: () => Promise.resolve(), inode: () => undefined };
  if (isNullDevice(fd)) return { ...stream, write: () => {}, flushSync: () => {}, dropped: () => 0, close: () => Promise.resolve() };
  const lines = createLines(new sonicBoom.SonicBoom({ fd, ...batches }), options);
  return { ...stream, ...lines, write: (given) => inParts(given, lines.write), close: lines.finish };
}

function isNullDevice(fd: number): boolean {
  const open = fstatSync(fd);
  return open.isCharacterDevice() && open.rdev === statSync(devNull, { throwIfNoEntry: false })?.rdev;
}

/** A pipe with less room than it is given takes what fits, and then perhaps what another process writes. */
function inParts(lines: string | Buffer, write: (part: Buffer) => void): void {
  let rest = typeof lines === 'string' ? Buffer.from(lines) : lines;
  while (rest.length > batches.maxWrite) {
    const end = rest.lastIndexOf(newline, batches.maxWrite - 1) + 1 || rest.indexOf(newline) + 1 || rest.length;
    write(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  if (rest.length > 0) write(rest);
}

/**
 * Whole lines are gathered up to `minLength` and written up to `maxWrite` at a time, more only where they are given in one piece;
 * appends to a file by several processes do not mix, of whatever size. Beyond `maxLength` of waiting lines, new ones are dropped. Bytes.
 */
const batches = { minLength: 8_192, maxWrite: 16_384, maxLength: 8 * 1024 * 1024, contentMode: 'buffer' } as const;
const closeWithinMs = 1_000;

type Boom = InstanceType<typeof sonicBoom.SonicBoom>;
type Lines = Pick<LogFile, 'write' | 'flushSync' | 'dropped'> & { readonly finish: () => Promise<void> };

function createLines(boom: Boom, { onProblem, flushAfterMs = 50 }: LogFileOptions): Lines {
  let waitingBytes = 0;
  let dropped = 0;
  let isTroubled = false;
  let isFinished = false;
  let timer: NodeJS.Timeout | undefined;

  /** Also tries again what could not be written. */
  const flush = (): void => {
    timer = undefined;
    if (waitingBytes === 0 || isFinished) return;
    boom.flush();
    timer = setTimeout(flush, flushAfterMs);
  };
  boom.on('write', (bytes: number) => {
    waitingBytes = Math.max(0, waitingBytes - bytes);
    isTroubled = false;
  });
  boom.on('drop', (lines: Buffer) => {
    waitingBytes -= lines.length;
    for (const byte of lines) if (byte === newline) dropped += 1;
  });
  boom.on('error', (err: Error) => {
    if (!isTroubled) onProblem(`log lines cannot be written: ${err.message}`);
    isTroubled = true;
  });
  const flushSync = (): void => {
    // While writing fails it would try for ever, and the process could not end.
    if (isTroubled || isFinished || waitingBytes === 0) return;
    try {
      boom.flushSync();
      waitingBytes = 0;
    } catch {
      // A reader that does not keep up: at the end of a process there is no time to wait for it.
    }
  };
  return {
    write: (lines) => {
      if (isFinished) return;
      const bytes = typeof lines === 'string' ? Buffer.from(lines) : lines;
      waitingBytes += bytes.length;
      boom.write(bytes as never);
      timer ??= setTimeout(flush, flushAfterMs);
    },
    flushSync,
    dropped: () => dropped,
    finish: async () => {
      const endsAt = performance.now() + closeWithinMs;
      if (waitingBytes > 0) boom.flush();
      const isWritten = (): boolean => waitingBytes === 0;
      while (!isWritten() && performance.now() < endsAt) await sleep(5);
      isFinished = true;
      clearTimeout(timer);
    },
  };
}

/** Makes the file where there is none, and gives it its mode. */
function makeFile(path: string): void {
  const fd = openSync(path, 'a', mode);
  try {
    fchmodSync(fd, mode);
  } catch {
    // Another account made it; whoever may append may go on.
  }
  closeSync(fd);
}

const inodeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );
