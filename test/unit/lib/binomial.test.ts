import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { atLeast } from '#lib/binomial.ts';

test.each<[bad: number, trials: number, share: number, probability: number]>([
  [2, 3, 1 / 2, 1 / 2],
  [8, 10, 1 / 2, 56 / 1_024],
  [9, 9, 1 / 2, 1 / 512],
  [10, 10, 1 / 10, 1e-10],
  [12, 12, 1 / 4, 1 / 4 ** 12],
  // Summed with fractions of whole numbers.
  [10, 20, 1 / 10, 7.15090402108378e-6],
  [20, 100, 1 / 10, 0.001978560865771231],
  [30, 1_000, 1 / 100, 2.0599888509719576e-7],
  [40, 50, 1 / 2, 1.1930665838377763e-5],
])('that %i or more of %i come out bad, each with probability %d, has probability %d', (bad, trials, share, probability) => {
  expect(atLeast(bad, trials, share) / probability).toBeCloseTo(1, 8);
});

test('no bad one is certain, more than there are trials are impossible, and so is what never happens', () => {
  expect(atLeast(0, 10, 0.1)).toBe(1);
  expect(atLeast(0, 10, 0)).toBe(1);
  expect(atLeast(11, 10, 0.1)).toBe(0);
  expect(atLeast(1, 10, 0)).toBe(0);
});

test('as many as are to be expected count as certain: there nothing is decided', () => {
  expect(atLeast(5, 10, 0.5)).toBe(1);
  expect(atLeast(3, 10, 0.5)).toBe(1);
  expect(atLeast(6, 10, 0.5)).toBeCloseTo(386 / 1_024, 8);
});

test('the tail is what counting every case gives', () => {
  const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
  const exact = (bad: number, trials: number, share: number): number => {
    let sum = 0;
    for (let k = bad; k <= trials; k += 1) sum += choose(trials, k) * share ** k * (1 - share) ** (trials - k);
    return sum;
  };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(60), fc.double({ min: 0.001, max: 0.5, noNaN: true }), (trials, bad, share) => {
      fc.pre(bad <= trials && bad > trials * share);
      expect(atLeast(bad, trials, share) / exact(bad, trials, share)).toBeCloseTo(1, 6);
    }),
  );
});

test('the tail holds for a million', () => {
  expect(atLeast(10_400, 1_000_000, 0.01)).toBeGreaterThan(1e-5);
  expect(atLeast(10_400, 1_000_000, 0.01)).toBeLessThan(1e-4);
});
