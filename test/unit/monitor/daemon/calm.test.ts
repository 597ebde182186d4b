import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { windowAfter } from '#test/calm/day.ts';
import { mutants } from '#test/calm/mutants.ts';
import { playCalm } from '#test/calm/play.ts';

test(
  'nothing is told in the evening of a healthy system, with a load test, a deploy, and planned work in the night of a clock change',
  { timeout: 120_000 },
  async () => {
    const played = await playCalm(1, { startAt: Date.parse('2026-10-24T20:00:00Z'), days: 7 / 24, pace: 1 });
    expect(played.alarms).toEqual([]);
    expect(played.looks).toBeGreaterThan(14_000);
  },
);

test.each([
  ['2026-11-24T20:00:00Z', '2026-11-25T01:30:00Z'],
  ['2026-10-24T20:00:00Z', '2026-10-25T00:30:00Z'],
  ['2026-03-28T20:00:00Z', '2026-03-29T01:30:00Z'],
])('planned work at half past two in Madrid, after %s, begins at %s', (evening, begin) => {
  expect(new Date(windowAfter(Date.parse(evening))).toISOString()).toBe(new Date(begin).toISOString());
});

test.each(mutants)('a monitor that cries wolf still finds its place in the source: $name', async ({ file, find }) => {
  expect((await readFile(file, 'utf8')).split(find)).toHaveLength(2);
});
