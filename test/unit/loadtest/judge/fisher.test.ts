import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fisherP } from '#loadtest/judge/fisher.ts';

test.each([
  // The lady tasting tea.
  { suspect: { bad: 3, all: 4 }, other: { bad: 1, all: 4 }, p: 17 / 70 },
  { suspect: { bad: 4, all: 4 }, other: { bad: 0, all: 4 }, p: 1 / 70 },
  { suspect: { bad: 8, all: 1_000 }, other: { bad: 0, all: 1_000 }, p: 0.0038_6 },
])('$suspect beside $other has p = $p', ({ suspect, other, p }) => {
  expect(fisherP(suspect, other)).toBeCloseTo(p, 4);
});

test('it is the sum over all ways to deal the bad ones out', () => {
  const choose = (n: number, k: number): number => (k < 0 || k > n ? 0 : k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
  const share = fc.integer({ min: 1, max: 20 }).chain((all) => fc.record({ bad: fc.integer({ min: 0, max: all }), all: fc.constant(all) }));
  fc.assert(
    fc.property(share, share, (suspect, other) => {
      fc.pre(suspect.bad * other.all > other.bad * suspect.all);
      const [bad, all] = [suspect.bad + other.bad, suspect.all + other.all];
      let sum = 0;
      for (let k = suspect.bad; k <= bad; k += 1) sum += (choose(bad, k) * choose(all - bad, suspect.all - k)) / choose(all, suspect.all);
      expect(fisherP(suspect, other)).toBeCloseTo(sum, 6);
    }),
  );
});

test('no errors, as many errors and fewer errors are no suspicion', () => {
  expect(fisherP({ bad: 0, all: 100 }, { bad: 0, all: 100 })).toBe(1);
  expect(fisherP({ bad: 5, all: 100 }, { bad: 5, all: 100 })).toBe(1);
  expect(fisherP({ bad: 2, all: 100 }, { bad: 5, all: 100 })).toBe(1);
  expect(fisherP({ bad: 0, all: 0 }, { bad: 0, all: 0 })).toBe(1);
});
