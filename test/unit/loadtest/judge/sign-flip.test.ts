import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { holm, shiftOf, signFlipP, tailsOf } from '#loadtest/judge/sign-flip.ts';

const values = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 11 });

/** The ranks of their distances from zero, those who share one in the middle of theirs, with their signs. */
const signedRanks = (given: readonly number[]): number[] => {
  const sorted = given.map(Math.abs).toSorted((a, b) => a - b);
  return given.map((value) => (Math.sign(value) * (sorted.indexOf(Math.abs(value)) + sorted.lastIndexOf(Math.abs(value)) + 2)) / 2);
};

/** One assignment of signs after the other. */
function countedTails(given: readonly number[]): { up: number; down: number } {
  const scores = signedRanks(given);
  const sum = scores.reduce((total, score) => total + score, 0);
  const sums = Array.from({ length: 2 ** scores.length }, (_, signs) =>
    scores.reduce((total, score, i) => total + (signs & (1 << i) ? score : -score), 0),
  );
  const share = (isIn: (one: number) => boolean): number => sums.filter(isIn).length / sums.length;
  return { up: share((one) => one >= sum), down: share((one) => one <= sum) };
}

test('its tails are those counted over all 2^n assignments of signs to the ranks', () => {
  fc.assert(
    fc.property(values, (given) => {
      expect(tailsOf(given)).toEqual(countedTails(given));
    }),
  );
});

test.each([
  { given: [1, 1, 1, 1, 1], p: 2 / 32 },
  // As far as 34, which their ranks sum up to, reaches only 36 besides.
  { given: [2, 3, 4, 5, 6, 7, 8, -1], p: 4 / 256 },
  { given: [3, -3], p: 1 },
  { given: [0, 0, 0], p: 1 },
])('$given has p = $p, whichever side it is taken from', ({ given, p }) => {
  expect(signFlipP(given)).toBe(p);
  expect(signFlipP(given.map((value) => -value))).toBe(p);
});

test('one value out of all proportion counts as one', () => {
  expect(signFlipP([1, 2, 3, 4, 5, 6, 7, 1_000])).toBe(signFlipP([1, 2, 3, 4, 5, 6, 7, 8]));
});

test('of forty values, too many to be counted one by one, the probability is as exact', () => {
  expect(signFlipP(Array.from({ length: 40 }, () => 0.02))).toBe(2 / 2 ** 40);
});

test('the interval ends where the test begins to refuse a shift', () => {
  const spread = fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 8, maxLength: 14 });
  fc.assert(
    fc.property(spread, (given) => {
      const { bounds } = shiftOf(given, 0.95);
      const refuses = (shift: number): boolean => {
        const { up, down } = tailsOf(given.map((value) => value - shift));
        return Math.min(up, down) <= 0.025;
      };
      expect([bounds[0] - 0.1, bounds[0] + 0.1, bounds[1] - 0.1, bounds[1] + 0.1].map(refuses)).toEqual([true, false, false, true]);
    }),
  );
});

test('the shift moves with its values, and lies in the middle of them', () => {
  const given = [0.1, 0.5, -0.2, 0.4, 0.3, 0.2, 0.6, 0, 0.1, 0.3];
  const [one, moved] = [
    shiftOf(given, 0.95),
    shiftOf(
      given.map((value) => value + 1),
      0.95,
    ),
  ];
  expect(one.middle).toBeCloseTo(0.25, 10);
  expect(moved.middle).toBeCloseTo(1.25, 10);
  for (const end of [0, 1] as const) expect(moved.bounds[end]).toBeCloseTo(1 + one.bounds[end], 10);
});

test('so few values that no p is low enough refuse no shift', () => {
  expect(shiftOf([1, 1, 1, 1, 1], 0.95).bounds).toEqual([-Infinity, Infinity]);
  expect(shiftOf([1, 1, 1, 1, 1, 1], 0.95).bounds).toEqual([1, 1]);
});

test('Holm multiplies the least p by their number, the next by one less, and never lets a larger one overtake', () => {
  const corrected = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [i, p] of [0.03, 0.06, 0.06, 0.02].entries()) expect(corrected[i]).toBeCloseTo(p, 12);
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});
