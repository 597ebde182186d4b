import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetLeft, burnFactor, burnRules, findBurning, type Counts } from '#monitor/slo/burn.ts';

const minute = 60_000;

type Answer = { readonly at: number; readonly isBad: boolean };

const counted =
  (answers: readonly Answer[], now: number) =>
  (windowMs: number): Counts => {
    const own = answers.filter(({ at }) => at > now - windowMs && at <= now);
    const bad = own.filter(({ isBad }) => isBad).length;
    return { good: own.length - bad, bad };
  };

/** Answers at even distances over a time, of which those are bad that `isBad` says. */
const answersOver = (from: number, to: number, everyMs: number, isBad: (index: number) => boolean): Answer[] =>
  Array.from({ length: Math.floor((to - from) / everyMs) }, (_, index) => ({ at: from + index * everyMs, isBad: isBad(index) }));

/** The first whole minute after `from` at which somebody is paged, in minutes since then; undefined: none within `forMinutes`. */
function pagedAfter(answers: readonly Answer[], objective: number, from: number, forMinutes: number): number | undefined {
  for (let passed = 1; passed <= forMinutes; passed += 1) {
    if (findBurning(objective, counted(answers, from + passed * minute))?.rule.severity === 'page') return passed;
  }
  return undefined;
}

/** Numbers of 0 to 1 that look random and are the same for the same seed. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

test('the rules burn as fast as those of the SRE workbook', () => {
  expect(burnRules.map((rule) => Number(burnFactor(rule).toFixed(6)))).toEqual([14.4, 14.4, 6, 3, 1]);
});

describe('somebody is woken', () => {
  test.each([0.99, 0.995, 0.999, 0.9999])(
    'never by one bad answer alone, whatever the objective of %d and however few there are',
    (objective) => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2_000 }), (good) => {
          expect(findBurning(objective, () => ({ good, bad: 1 }))).toBeUndefined();
        }),
      );
    },
  );

  test.each([0.99, 0.999, 0.9999])(
    'never by one error in fewer than 30 requests, at whatever moments they come (objective %d)',
    (objective) => {
      const moments = fc.array(fc.integer({ min: 0, max: 6 * 60 }), { minLength: 1, maxLength: 29 });
      fc.assert(
        fc.property(moments, fc.nat(), (minutes, which) => {
          const answers = minutes.map((at, index) => ({ at: at * minute, isBad: index === which % minutes.length }));
          expect(pagedAfter(answers, objective, 0, 8 * 60)).toBeUndefined();
        }),
        { numRuns: 60 },
      );
    },
    60_000,
  );

  // At 90 % failing at most this share of outages may begin with so many good answers that nothing is proved in 15 minutes.
  test.each([
    [0.9999, 0.999],
    [0.999, 0.999],
    [0.995, 0.998],
    [0.99, 0.95],
  ])(
    'for an objective of %d in a share of at least %d: within 15 minutes where nine of ten fail of one request every two minutes',
    (objective, share) => {
      const begins = 7 * 60 * minute;
      let inTime = 0;
      const cases = 2_000;
      for (let seed = 1; seed <= cases; seed += 1) {
        const random = randoms(seed * 7_919);
        const phase = Math.floor(random() * 2 * minute);
        const before = answersOver(0, begins, 2 * minute, () => false);
        const after = answersOver(begins + phase, begins + 15 * minute, 2 * minute, () => random() < 0.9);
        if (pagedAfter([...before, ...after], objective, begins, 15) !== undefined) inTime += 1;
      }
      expect(inTime / cases).toBeGreaterThanOrEqual(share);
    },
    120_000,
  );

  test('by a busy service that fails one request of ten, within five minutes', () => {
    const begins = 2 * 60 * minute;
    const answers = [
      ...answersOver(0, begins, 1_000, () => false),
      ...answersOver(begins, begins + 20 * minute, 1_000, (index) => index % 10 === 0),
    ];
    expect(pagedAfter(answers, 0.999, begins, 20)).toBeLessThanOrEqual(5);
  });

  test('no more once it has been well for the short window', () => {
    const answers = [
      ...answersOver(0, 60 * minute, minute, (index) => index % 2 === 0),
      ...answersOver(60 * minute, 70 * minute, minute, () => false),
    ];
    expect(pagedAfter(answers, 0.999, 58 * minute, 1)).toBe(1);
    expect(findBurning(0.999, counted(answers, 65.5 * minute))?.rule.longMs).not.toBe(60 * minute);
  });

  test('never by a service that keeps its objective, over 30 simulated days of 10 requests a minute', () => {
    const random = randoms(42);
    const answers = answersOver(0, 30 * 1_440 * minute, 6_000, () => random() < 0.001);
    const bad = answers.filter(({ isBad }) => isBad);
    const rate = (windowMs: number, now: number): Counts => {
      const count = bad.filter(({ at }) => at > now - windowMs && at <= now).length;
      return { bad: count, good: Math.min(windowMs, now) / 6_000 - count };
    };
    // Only after a bad answer can anything have changed for the worse.
    const woken = bad.filter(({ at }) => findBurning(0.999, (windowMs) => rate(windowMs, at))?.rule.severity === 'page');
    expect(woken).toEqual([]);
  }, 60_000);
});

test('what is left of the budget is a share of the bad answers that may be', () => {
  expect(budgetLeft(0.999, { good: 0, bad: 0 })).toBe(1);
  expect(budgetLeft(0.999, { good: 99_950, bad: 50 })).toBeCloseTo(0.5);
  expect(budgetLeft(0.999, { good: 99_700, bad: 300 })).toBeCloseTo(-2);
});
