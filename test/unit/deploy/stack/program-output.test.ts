import { writeSync } from 'node:fs';
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openOutput } from '#deploy/local/stack/program-output.ts';
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
