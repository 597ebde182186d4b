import { execFile } from 'node:child_process';
import fs, { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { openLogStream } from '#api/logs/log-file.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const fail = (message: string): never => {
  throw new Error(message);
};
/** What is written while `work` runs, a buffer each. */
async function writesOf(work: () => Promise<void>): Promise<Buffer[]> {
  const spy = vi.spyOn(fs, 'write');
  try {
    await work();
    return spy.mock.calls.map(([, buffer]) => Buffer.from(buffer as unknown as Buffer));
  } finally {
    spy.mockRestore();
  }
}

test('a pipe is given whole lines, 16 KiB at most in one write, so that other processes write between lines', async () => {
  const path = join(await temporaryFolder(), 'pipe');
  await promisify(execFile)('mkfifo', [path]);
  const fd = openSync(path, 'r+');
  const received = text(fs.createReadStream(path));
  const given = Array.from({ length: 120 }, (_, index) => `${'x'.repeat(300 + index * 5)}\n`).join('');
  const writes = await writesOf(async () => {
    const stream = openLogStream(fd, { onProblem: fail });
    stream.write(Buffer.from(given));
    await stream.close();
  });
  closeSync(fd);
  expect(writes.filter((written) => written.length > 16_384 || written.at(-1) !== 10)).toEqual([]);
  expect(writes.length).toBeLessThan(8);
  expect(await received).toBe(given);
});

test('nothing is written to the null device', async () => {
  const fd = openSync(devNull, 'w');
  const writes = await writesOf(async () => {
    const stream = openLogStream(fd, { onProblem: fail });
    stream.write(`${'x'.repeat(20_000)}\n`);
    await stream.close();
  });
  closeSync(fd);
  expect(writes).toEqual([]);
});
