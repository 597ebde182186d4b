import { writeSync } from 'node:fs';
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { keepOutput, openOutput } from '#deploy/local/stack/program-output.ts';
import { mountTmpfs } from '#test/support/mount-tmpfs.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

test('appends, and gives back only what was written since it was opened', async () => {
  const file = join(await temporaryFolder(), 'api.out.log');
  await writeFile(file, 'of an earlier run\n');
  const output = openOutput(file);
  writeSync(output.fd, 'new\n');
  output.handedOver();
  await expect(output.written()).resolves.toBe('new\n');
  await expect(readFile(file, 'utf8')).resolves.toBe('of an earlier run\nnew\n');
});

test('gives back no more than the last 64 KiB', async () => {
  const file = join(await temporaryFolder(), 'api.out.log');
  const output = openOutput(file);
  output.handedOver();
  await appendFile(file, `${'x'.repeat(100_000)}end`);
  const written = await output.written();
  expect(written).toHaveLength(65_536);
  expect(written.endsWith('xend')).toBe(true);
});

test('sets a file that has grown past 10 MiB aside, keeping one', async () => {
  const folder = join(await temporaryFolder(), 'logs');
  await mkdir(folder);
  const file = join(folder, 'api.out.log');
  await writeFile(file, Buffer.alloc(10 * 1024 * 1024 + 1));
  openOutput(file).handedOver();
  expect((await stat(file)).size).toBe(0);
  expect((await stat(`${file}.1`)).size).toBe(10 * 1024 * 1024 + 1);
});

test('makes the folder it is to stand in', async () => {
  const file = join(await temporaryFolder(), 'logs/api.out.log');
  openOutput(file).handedOver();
  expect((await stat(file)).mode & 0o777).toBe(0o640);
});

const line = (number: number): string => `${String(number).padStart(8, '0')} ${'x'.repeat(90)}\n`;

describe('what a program says for as long as it runs', () => {
  test('takes 20 MiB at most, of which the file and the one before it hold the last lines whole and in order', async () => {
    const file = join(await temporaryFolder(), 'monitor.log');
    const said = new PassThrough();
    const output = keepOutput(file, [said]);
    const count = 350_000;
    // In pieces that end anywhere.
    const all = Buffer.from(Array.from({ length: count }, (_, index) => line(index)).join(''));
    for (let at = 0; at < all.length; at += 60_001) said.write(all.subarray(at, at + 60_001));
    said.end();
    await output.ended();
    const [before, now] = await Promise.all([readFile(`${file}.1`, 'utf8'), readFile(file, 'utf8')]);
    for (const text of [before, now]) expect(text.length).toBeLessThanOrEqual(10 * 1024 * 1024 + 60_001);
    const numbers = (before + now)
      .trimEnd()
      .split('\n')
      .map((text) => Number(text.slice(0, 8)));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => count - numbers.length + index));
    expect([before, now].map((text) => text.endsWith('\n'))).toEqual([true, true]);
  });

  test('is read from where it was opened, after a turn of the file too', async () => {
    const file = join(await temporaryFolder(), 'monitor.log');
    await writeFile(file, 'of an earlier run\n');
    const said = new PassThrough();
    const output = keepOutput(file, [said]);
    said.write('new\n');
    await expect.poll(output.written).toBe('new\n');
    said.end(Buffer.concat([Buffer.alloc(10 * 1024 * 1024, 'x'), Buffer.from('\nlast words\n')]));
    await output.ended();
    await expect(output.written()).resolves.toBe('last words\n');
  });

  test('ends nothing where the disk is full, and goes on once it is not', async ({ skip }) => {
    const folder = await temporaryFolder();
    if (!mountTmpfs(folder, 'size=1m')) skip('a small file system takes root to mount');
    await writeFile(join(folder, 'other'), Buffer.alloc(900_000));
    const said = new PassThrough();
    const output = keepOutput(join(folder, 'monitor.log'), [said]);
    said.write(Buffer.alloc(1_000_000, 'x'));
    await expect.poll(async () => (await stat(join(folder, 'monitor.log'))).size).toBeGreaterThan(0);
    await writeFile(join(folder, 'other'), '');
    said.end('\nback\n');
    await output.ended();
    expect((await output.written()).endsWith('\nback\n')).toBe(true);
  });
});
