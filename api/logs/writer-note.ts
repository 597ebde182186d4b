import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '#lib/errors.ts';

/**
 * What one process says of the log files it writes, in `LOG_DIR/.writers/<id>.json`. Whoever has renamed a file may
 * compress it once every note that still counts names an inode for it that came later: until then lines may still come.
 * No signal and no pid, since writer and rotation may live in two containers that share nothing but the folder.
 */
export type WriterNote = {
  readonly program: 'api';
  /** 0: the primary. */
  readonly worker: number;
  readonly pid: number;
  /** ISO 8601, when it was written last; it is written anew every `renewMs`. */
  readonly at: string;
  /** After so long it no longer counts: its process has died. */
  readonly leaseMs: number;
  /** Name of each file → inode that lines of it go to. */
  readonly files: Readonly<Record<string, number>>;
};

const leaseMs = 30_000;
const renewMs = 5_000;
/** A dead one is cleared away by whoever starts later. */
const forgottenMs = 600_000;

export type Announcement = {
  /** Writes the note when an inode has changed, or it was not written for `renewMs`. */
  readonly renew: () => void;
  /** To be called once the files are closed. */
  readonly withdraw: () => void;
};

type Writer = {
  readonly worker: number;
  readonly inodes: () => Readonly<Record<string, number>>;
  readonly onProblem: (message: string) => void;
};

/** Says at once, and whenever `renew` finds something new, which files this process writes. Never throws. */
export function announceWriter(logDir: string, { worker, inodes, onProblem }: Writer): Announcement {
  const folder = join(logDir, '.writers');
  const path = join(folder, `${randomUUID()}.json`);
  let told: Readonly<Record<string, number>> = {};
  let writtenAt = -Infinity;
  let isTroubled = false;
  const renew = (): void => {
    const files = inodes();
    if (performance.now() - writtenAt < renewMs && isDeepStrictEqual(files, told)) return;
    const note: WriterNote = { program: 'api', worker, pid: process.pid, at: new Date().toISOString(), leaseMs, files };
    try {
      mkdirSync(folder, { recursive: true, mode: 0o750 });
      writeNote(path, JSON.stringify(note));
      [told, writtenAt, isTroubled] = [files, performance.now(), false];
    } catch (err) {
      // Whoever rotates waits for this process until its last note is old, and says so.
      if (!isTroubled) onProblem(`${folder} cannot be written: ${messageOf(err)}`);
      isTroubled = true;
    }
  };
  renew();
  clearForgotten(folder);
  return { renew, withdraw: () => rmSync(path, { force: true }) };
}

/** A full disk has no room for another file, but what is written over takes none; half of it would be no note, which says nothing. */
function writeNote(path: string, text: string): void {
  try {
    writeFileSync(`${path}.part`, text, { mode: 0o640 });
    renameSync(`${path}.part`, path);
  } catch (err) {
    if (!existsSync(path)) throw err;
    const fd = openSync(path, 'r+');
    try {
      writeSync(fd, text.padEnd(fstatSync(fd).size), 0);
    } finally {
      closeSync(fd);
    }
  }
}

function clearForgotten(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (Date.now() - statSync(path).mtimeMs > forgottenMs) rmSync(path, { force: true });
    }
  } catch {
    // Another that starts clears the same, or the folder could not be made, which has been said.
  }
}
