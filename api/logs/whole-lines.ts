import type { EventEmitter } from 'node:events';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The byte that ends a line. */
export const newline = 10;
const lineEnd = Buffer.from([newline]);

/** Of sonic-boom: what it is writing to which file, and how much it holds in all. */
export type WritingBoom = EventEmitter & {
  readonly fd: number;
  _writingBuf: Buffer;
  _len: number;
  release: (err: Error | null | undefined, written: number) => void;
};

/* oxlint-disable no-underscore-dangle -- sonic-boom has no other names for them */
/**
 * A disk that fills up takes the beginning of a line, and what another process writes before the rest of it would stand in its middle.
 * So whoever was refused goes on with a line of its own: with the one that was cut, from its beginning, or with the next where another's
 * stands there cut. What remains of a cut one is a line that cannot be read; none is lost.
 */
export function goOnWithWholeLines(boom: WritingBoom): void {
  const { release } = boom;
  const beginAnew = (from: number): void => {
    const before = boom._writingBuf.length;
    boom._writingBuf = Buffer.concat([lineEnd, boom._writingBuf.subarray(from)]);
    const more = boom._writingBuf.length - before;
    boom._len += more;
    boom.emit('write', -more);
  };
  boom.release = (err, written) => {
    const buffer = boom._writingBuf;
    const begin = err ? 0 : buffer.lastIndexOf(newline, written - 1) + 1;
    const isCut = !err && written > 0 && written < buffer.length && begin !== written;
    if (isCut || (err && buffer[0] !== newline && endsInALine(boom.fd))) beginAnew(begin);
    release(err, isCut ? 0 : written);
  };
}

/* oxlint-enable no-underscore-dangle */

/** Whether the last line of an open file is not whole. It may have been renamed, so it is opened by its number; false but on Linux. */
function endsInALine(fd: number): boolean {
  try {
    const reading = openSync(`/proc/self/fd/${fd}`, 'r');
    try {
      const { size } = fstatSync(reading);
      const last = Buffer.alloc(1);
      return size > 0 && readSync(reading, last, 0, 1, size - 1) === 1 && last[0] !== newline;
    } finally {
      closeSync(reading);
    }
  } catch {
    return false;
  }
}
