import { EventEmitter } from 'node:events';
import { appendFileSync, closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { array, assert, boolean, constantFrom, nat, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { openLogFile } from '#api/logs/log-file.ts';
import { goOnWithWholeLines, type WritingBoom } from '#api/logs/whole-lines.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

test('a line that came behind what another process was cut in is written once more', async () => {
  const path = join(await temporaryFolder(), 'access.log');
  const file = await openLogFile(path, { onProblem: (message) => expect.unreachable(message), flushAfterMs: 1 });
  appendFileSync(path, '{"cut');
  file.write('first\nsecond\n');
  await expect.poll(() => linesOf(path)).toEqual(['{"cutfirst', 'second', 'first']);
  await file.close();
});

test('a line is written once where the end of another reads as it does', async () => {
  const path = join(await temporaryFolder(), 'access.log');
  const file = await openLogFile(path, { onProblem: (message) => expect.unreachable(message), flushAfterMs: 1 });
  appendFileSync(path, 'not first\n');
  file.write('first\n');
  await file.close();
  expect(linesOf(path)).toEqual(['not first', 'first']);
});

/* oxlint-disable no-underscore-dangle -- sonic-boom has no other names for them */
/** Writes as sonic-boom does to a disk that takes of each write what it is told to. */
function openWriter(path: string, lines: readonly string[]) {
  const held = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const boom = Object.assign(new EventEmitter(), {
    fd: openSync(path, 'a'),
    _writingBuf: held,
    _len: held.length,
    _actualWrite: () => {},
    release: (err: Error | null | undefined, written: number) => {
      if (err) return;
      boom._writingBuf = boom._writingBuf.subarray(written);
      boom._len -= written;
    },
  }) satisfies WritingBoom;
  goOnWithWholeLines(boom);
  let isUnderWay = false;
  return {
    close: () => closeSync(boom.fd),
    isDone: () => boom._writingBuf.length === 0,
    held: () => [boom._len, boom._writingBuf.length],
    begin: () => {
      if (!isUnderWay) boom._actualWrite();
      isUnderWay = true;
    },
    /** @param most bytes that the disk has room for */
    write: (most: number) => {
      if (!isUnderWay || boom._writingBuf.length === 0) return;
      const taken = boom._writingBuf.subarray(0, most);
      if (taken.length > 0) appendFileSync(boom.fd, taken);
      isUnderWay = taken.length > 0;
      boom.release(taken.length > 0 ? null : new Error('ENOSPC'), taken.length);
    },
  };
}
/* oxlint-enable no-underscore-dangle */

test('every line of two writers stands whole in the end, wherever the disk was full between', async () => {
  const folder = await temporaryFolder();
  let files = 0;
  const step = record({ who: nat(1), most: constantFrom(0, 1, 2, 3, 5, 8, 13, 1_000), isBegin: boolean() });
  assert(
    property(array(step, { minLength: 4, maxLength: 40 }), (steps) => {
      const path = join(folder, `${(files += 1)}.log`);
      const all = ['a', 'b'].map((who) => Array.from({ length: 4 }, (_, index) => `${who}${index}${'.'.repeat(index * 3)}`));
      const writers = all.map((lines) => openWriter(path, lines));
      for (const { who, most, isBegin } of steps) {
        if (isBegin) writers[who]?.begin();
        else writers[who]?.write(most);
      }
      for (const { begin, write, isDone } of writers) {
        while (!isDone()) {
          begin();
          write(1_000);
        }
      }
      for (const { held, close } of writers) {
        expect(held()).toEqual([0, 0]);
        close();
      }
      expect(linesOf(path)).toEqual(expect.arrayContaining(all.flat()));
    }),
    { numRuns: 400 },
  );
});
