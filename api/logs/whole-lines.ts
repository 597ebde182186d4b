import type { EventEmitter } from 'node:events';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The byte that ends a line. */
export const newline = 10;

/** Of sonic-boom: what it is writing to which file, how much it holds in all, and what begins and ends a write. */
export type WritingBoom = EventEmitter & {
  readonly fd: number;
  _writingBuf: Buffer;
  _len: number;
  _actualWrite: () => void;
  release: (err: Error | null | undefined, written: number) => void;
};

/* oxlint-disable no-underscore-dangle -- sonic-boom has no other names for them */
/**
 * A disk that fills up takes the beginning of a line, and what comes next, of this process or another, stands behind it. So whoever was
 * cut goes on with that line from its beginning, and whoever finds its first line behind what is no whole one writes it once more. What
 * remains is a line that cannot be read; none is lost.
 */
export function goOnWithWholeLines(boom: WritingBoom): void {
  const { release, _actualWrite: begin } = boom;
  let sizeBefore = 0;
  boom._actualWrite = () => {
    sizeBefore = sizeOf(boom.fd);
    begin.call(boom);
  };
  boom.release = (err, written) => {
    const buffer = boom._writingBuf;
    const done = err ? 0 : buffer.lastIndexOf(newline, written - 1) + 1;
    const first = buffer.subarray(0, done > 0 ? buffer.indexOf(newline) + 1 : 0);
    const again = first.length > 0 && standsBehindAnother(boom.fd, sizeBefore, first) ? first : buffer.subarray(0, 0);
    if (!err && (done < written || again.length > 0)) {
      boom._writingBuf = Buffer.concat([again, buffer.subarray(done)]);
      const less = buffer.length - boom._writingBuf.length;
      boom._len -= less;
      boom.emit('write', less);
      written = 0;
    }
    // What goes on at once begins where the file ends now.
    sizeBefore = sizeOf(boom.fd);
    release(err, written);
  };
}

/* oxlint-enable no-underscore-dangle */

function sizeOf(fd: number): number {
  try {
    return fstatSync(fd).size;
  } catch {
    return 0;
  }
}

/** More than this came meanwhile only while this process stood still. */
const mostMeanwhile = 1024 * 1024;

/**
 * Whether a line that was written since the file had a size stands in the middle of another's, and nowhere at the beginning of one. The
 * file is open for appending alone, and may have been renamed: it is read by its number; false but on Linux.
 */
function standsBehindAnother(fd: number, sizeBefore: number, line: Buffer): boolean {
  const from = Math.max(0, sizeBefore - 1);
  const meanwhile = readFrom(fd, from);
  let isThere = false;
  for (let at = meanwhile.indexOf(line); at >= 0; at = meanwhile.indexOf(line, at + 1)) {
    if (from + at === 0 || meanwhile[at - 1] === newline) return false;
    isThere = true;
  }
  return isThere;
}

function readFrom(fd: number, from: number): Buffer {
  try {
    const reading = openSync(`/proc/self/fd/${fd}`, 'r');
    try {
      const bytes = Buffer.alloc(Math.min(mostMeanwhile, Math.max(0, fstatSync(reading).size - from)));
      return bytes.subarray(0, readSync(reading, bytes, 0, bytes.length, from));
    } finally {
      closeSync(reading);
    }
  } catch {
    return Buffer.alloc(0);
  }
}
