import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '#monitor/config/config-file.ts';
import { noticeChangeDuty } from '#monitor/daemon/duties/notice-change.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const now = { at: 0, clockMs: 0 };

/** A file, and the duty over it; `ticks` lets seconds pass and says how often a change was noticed since. */
async function watchedFile(content: string) {
  const path = join(await temporaryFolder(), 'monitor.yaml');
  writeFileSync(path, content);
  let noticed = 0;
  const duty = noticeChangeDuty({ path, digest: digestOf(content) }, () => (noticed += 1));
  return {
    path,
    ticks: (count: number): number => {
      const before = noticed;
      for (let tick = 0; tick < count; tick += 1) void duty.run(now, new AbortController().signal);
      return noticed - before;
    },
  };
}

test('a file that is left alone, or written anew with the same content, is no change', async () => {
  const { path, ticks } = await watchedFile('probes: []');
  expect(ticks(3)).toBe(0);
  writeFileSync(path, 'probes: []');
  expect(ticks(3)).toBe(0);
});

test.each([
  ['written over', (path: string) => writeFileSync(path, 'other')],
  [
    'put in place by a rename',
    (path: string) => {
      writeFileSync(`${path}.new`, 'other');
      renameSync(`${path}.new`, path);
    },
  ],
  ['removed', (path: string) => rmSync(path)],
])('a file that is %s is noticed once', async (_how, change) => {
  const { path, ticks } = await watchedFile('probes: []');
  ticks(2);
  change(path);
  expect(ticks(1)).toBe(0);
  expect(ticks(1)).toBe(1);
  expect(ticks(5)).toBe(0);
});

test('a file that is being written is noticed once it rests', async () => {
  const { path, ticks } = await watchedFile('probes: []');
  ticks(2);
  for (const part of ['o', 'ot', 'oth', 'othe', 'other']) {
    writeFileSync(path, part);
    expect(ticks(1)).toBe(0);
  }
  expect(ticks(2)).toBe(1);
});

test('what changed between reading and watching is noticed too, and so is the way back', async () => {
  const { path, ticks } = await watchedFile('probes: []');
  writeFileSync(path, 'other');
  expect(ticks(2)).toBe(1);
  writeFileSync(path, 'probes: []');
  expect(ticks(2)).toBe(1);
});
