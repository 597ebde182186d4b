import { accessSync, constants, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError, BusyError } from './errors.ts';

type FolderLockOptions = {
  /** Name of the lock's file in the folder, such as `monitor.lock`. Beside it `<name>.json` names the holder. */
  readonly name: string;
  /** What holds it, as people read it: `monitor`, `backup take`. */
  readonly purpose: string;
  /** How those who come later may help themselves, such as `set MONITOR_DATA_DIR to another folder`. */
  readonly cure: string;
  readonly now: Date;
};

export type FolderLock = {
  /**
   * Call it before anything irrevocable.
   * @throws {LockLostError} when the folder or the lock's file was removed or replaced, so that another may hold it now.
   */
  readonly assertHeld: () => void;
  readonly release: () => void;
};

/**
 * Makes a folder and those above it where they are missing. Node's own `recursive` tries for ever where the one above is there and
 * the system still says ENOENT, as /proc does.
 * @throws {NodeJS.ErrnoException} when it cannot be made
 */
export function makeFolder(dir: string, mode = 0o777): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(dir) !== dir) makeFolder(dirname(dir), mode);
  try {
    mkdirSync(dir, mode);
  } catch (err) {
    // Another process may have been first.
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) throw err;
  }
}

/** The lock no longer protects what it was taken for. */
class LockLostError extends AppError {
  readonly code = 'LOCK_LOST';
}

type Holder = { readonly purpose: string; readonly pid: number; readonly host: string; readonly since: string };

/**
 * Takes the lock of a folder, which is made when missing (mode 0700). The kernel holds it on the file for as long as this
 * process keeps it open, so it ends with the process however that ends: there is no stale lock and no sign of life to
 * give. It holds between containers that share the folder, and on network file systems as far as their own locks do.
 *
 * SQLite stands for the system call Node lacks: an exclusive transaction on an empty file is that kernel lock. The
 * file's content means nothing; a damaged one is emptied.
 * @throws {BusyError} at once, naming the holder
 * @throws {NodeJS.ErrnoException} when the folder cannot be made or written
 */
export function lockFolder(dir: string, options: FolderLockOptions): FolderLock {
  makeFolder(dir, 0o700);
  const file = join(dir, options.name);
  const holderFile = `${file}.json`;
  const connection = openExclusively(dir, file, () => describeHolder(dir, holderFile, options.cure));
  const inode = statSync(file, { bigint: true }).ino;
  const me: Holder = { purpose: options.purpose, pid: process.pid, host: hostname(), since: options.now.toISOString() };
  try {
    writeFileSync(holderFile, `${JSON.stringify(me)}\n`, { mode: 0o600 });
  } catch {
    // For people only; a full disk must not stop whoever wants to free some.
  }
  const isHeld = (): boolean => connection.isOpen && statSync(file, { bigint: true, throwIfNoEntry: false })?.ino === inode;
  return {
    assertHeld: () => {
      if (!isHeld())
        throw new LockLostError(`${file} was removed or replaced while "${options.purpose}" held it; another run may use ${dir}`);
    },
    release: () => {
      if (!connection.isOpen) return;
      if (isHeld()) rmSync(holderFile, { force: true });
      connection.close();
    },
  };
}

/** SQLite's result codes. @see https://www.sqlite.org/rescode.html */
const resultCode = { busy: 5, corrupt: 11, notADatabase: 26 } as const;

function openExclusively(dir: string, file: string, busyMessage: () => string): DatabaseSync {
  for (let attempt = 1; ; attempt += 1) {
    let connection: DatabaseSync | undefined;
    try {
      connection = new DatabaseSync(file, { timeout: 0 });
      // Nothing is ever written, so no journal is wanted beside the file.
      connection.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      return connection;
    } catch (err) {
      if (connection?.isOpen) connection.close();
      const code = ((err as { errcode?: number }).errcode ?? 0) & 0xff;
      if (code === resultCode.busy) throw new BusyError(busyMessage(), { cause: err });
      if (attempt > 1 || (code !== resultCode.notADatabase && code !== resultCode.corrupt)) {
        // Says why, where SQLite says only that it cannot open the file.
        accessSync(dir, constants.W_OK);
        throw err;
      }
      // Whoever holds the lock keeps others from reading so far: nobody does.
      truncateSync(file);
    }
  }
}

function describeHolder(dir: string, holderFile: string, cure: string): string {
  const holder = readHolder(holderFile);
  if (!holder) return `${dir} is in use by another run; ${cure}`;
  return `${dir} is in use by "${holder.purpose}" (process ${holder.pid} on ${holder.host}, since ${holder.since}); ${cure}`;
}

/** Whoever has just got the lock writes its name a moment later. */
function readHolder(holderFile: string): Holder | undefined {
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    try {
      return JSON.parse(readFileSync(holderFile, 'utf8')) as Holder;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  return undefined;
}
