import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextRestart } from '#deploy/local/restart-policy.ts';

/** Delays of the restarts after runs of these lengths. */
function delaysAfter(runsMs: readonly number[]): number[] {
  let failures = 0;
  return runsMs.map((ranMs) => {
    const next = nextRestart(failures, ranMs);
    failures = next.failures;
    return next.delayMs;
  });
}

test('a part that keeps failing is started again ever later, up to 10 s', () => {
  expect(delaysAfter(Array.from({ length: 8 }, () => 5))).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
});

test('a part that ran for 10 s was well: its failure counts as the first', () => {
  expect(delaysAfter([5, 5, 5, 10_000, 5])).toEqual([200, 400, 800, 200, 400]);
});

test('a part is always started again, within 0.2 s to 10 s', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60_000)), (runsMs) => {
      for (const delayMs of delaysAfter(runsMs)) {
        expect(delayMs).toBeGreaterThanOrEqual(200);
        expect(delayMs).toBeLessThanOrEqual(10_000);
      }
    }),
  );
});
