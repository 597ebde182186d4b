import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { holm, maxPairs, shiftInterval, signFlipP, tailsOf } from '#loadtest/judge/sign-flip.ts';

/** Whole numbers, so that equal sums are equal. */
const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 11 });

/** One assignment of signs after the other. */
function countedTails(given: readonly number[]): { up: number; down: number } {
  const sum = given.reduce((total, value) => total + value, 0);
  const sums = Array.from({ length: 2 ** given.length }, (_, signs) =>
    given.reduce((total, value, i) => total + (signs & (1 << i) ? value : -value), 0),
  );
  const share = (isIn: (one: number) => boolean): number => sums.filter(isIn).length / sums.length;
  return { up: share((one) => one >= sum), down: share((one) => one <= sum) };
}

test('its tails are those counted over all 2^n assignments of signs', () => {
  fc.assert(
    fc.property(values, (given) => {
      expect(tailsOf(given)).toEqual(countedTails(given));
    }),
  );
});

test.each([
  { given: [1, 1, 1, 1, 1], p: 2 / 32 },
  { given: [1, 2, 3, 4, 5, 6, 7, -1], p: 6 / 256 },
  { given: [3, -3], p: 1 },
  { given: [0, 0, 0], p: 1 },
])('$given has p = $p, whichever side it is taken from', ({ given, p }) => {
  expect(signFlipP(given)).toBe(p);
  expect(signFlipP(given.map((value) => -value))).toBe(p);
});

test('rounding does not make of equal sums different ones', () => {
  expect(signFlipP([0.1, 0.2, 0.3])).toBe(signFlipP([1, 2, 3]));
});

test('32 pairs are counted exactly, and more are refused', () => {
  const same = Array.from({ length: maxPairs }, () => 0.02);
  expect(signFlipP(same)).toBe(2 / 2 ** 32);
  expect(() => signFlipP([...same, 1])).toThrow('33 pairs are more than 32');
});

test('the interval ends where the test begins to refuse a shift', () => {
  const spread = fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 8, maxLength: 14 });
  fc.assert(
    fc.property(spread, (given) => {
      const [low, high] = shiftInterval(given, 0.95);
      const refuses = (shift: number): boolean => {
        const { up, down } = tailsOf(given.map((value) => value - shift));
        return Math.min(up, down) <= 0.025;
      };
      expect([refuses(low - 1), refuses(low + 1), refuses(high - 1), refuses(high + 1)]).toEqual([true, false, false, true]);
    }),
  );
});

test('the interval moves with its values, and holds their mean', () => {
  const given = [0.01, 0.05, -0.02, 0.04, 0.03, 0.02, 0.06, 0, 0.01, 0.03];
  const [low, high] = shiftInterval(given, 0.95);
  const moved = shiftInterval(
    given.map((value) => value + 1),
    0.95,
  );
  expect(moved[0]).toBeCloseTo(low + 1, 4);
  expect(moved[1]).toBeCloseTo(high + 1, 4);
  expect([low < 0.023, high > 0.023]).toEqual([true, true]);
});

test('the least p that so few pairs can have is too much to refuse any shift', () => {
  expect(shiftInterval([1, 1, 1, 1, 1], 0.95)).toEqual([-Infinity, Infinity]);
  expect(shiftInterval([1, 1, 1, 1, 1, 1], 0.95)).not.toContain(Infinity);
});

test('Holm multiplies the least p by their number, the next by one less, and never lets a larger one overtake', () => {
  const corrected = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [i, p] of [0.03, 0.06, 0.06, 0.02].entries()) expect(corrected[i]).toBeCloseTo(p, 12);
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});
