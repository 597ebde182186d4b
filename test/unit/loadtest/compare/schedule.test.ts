import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { scheduleOf } from '#loadtest/compare/schedule.ts';

const firsts = (seed: number): string =>
  scheduleOf(20, seed)
    .map(({ first }) => first)
    .join('');

test('the places are swapped for the second half of the rounds, and in either half both sides come first equally often', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 8 }), (seed, quarter) => {
      const turns = scheduleOf(4 * quarter, seed);
      for (const half of [turns.slice(0, 2 * quarter), turns.slice(2 * quarter)]) {
        expect(half.filter(({ first }) => first === 'a')).toHaveLength(quarter);
      }
      expect(turns.map(({ isSwapped }) => isSwapped)).toEqual(turns.map((_, i) => i >= 2 * quarter));
    }),
  );
});

test('halves of an odd number of rounds give the one that is over to either side by chance', () => {
  const leads = Array.from({ length: 100 }, (_, seed) => scheduleOf(6, seed).filter(({ first }) => first === 'a').length);
  expect(new Set(leads)).toEqual(new Set([2, 3, 4]));
});

test('the order is the seed’s: the same again for the same, another for another, and never a plain alternation for all', () => {
  expect(firsts(7)).toBe(firsts(7));
  expect(new Set(Array.from({ length: 50 }, (_, seed) => firsts(seed))).size).toBeGreaterThan(45);
});

test('each place in the order falls to either side equally often over the seeds', () => {
  const counts = Array.from({ length: 1_000 }, (_, seed) => scheduleOf(12, seed)).reduce(
    (sums, turns) => sums.map((sum, i) => sum + Number(turns[i]?.first === 'a')),
    Array.from({ length: 12 }, () => 0),
  );
  for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(80);
});
