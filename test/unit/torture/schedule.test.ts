import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultKinds, scheduleOf, type FaultKind } from '#test/torture/schedule.ts';

const kinds = Object.keys(faultKinds) as FaultKind[];
const plan = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  durationMs: fc.integer({ min: 1_000, max: 120_000 }),
  perMinute: fc.integer({ min: 1, max: 600 }),
  kinds: fc.subarray(kinds, { minLength: 1 }),
});

describe('the schedule of the nemesis', () => {
  test('is the same for the same seed, and another for another', () => {
    fc.assert(
      fc.property(plan, (given) => {
        expect(scheduleOf(given)).toEqual(scheduleOf(given));
      }),
    );
    const given = { durationMs: 60_000, perMinute: 180 };
    expect(scheduleOf({ ...given, seed: 1 })).not.toEqual(scheduleOf({ ...given, seed: 2 }));
  });

  test('has the kinds asked for, in order of time, each for as long as its kind may last', () => {
    fc.assert(
      fc.property(plan, (given) => {
        const faults = scheduleOf(given);
        expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
        const isAsPlanned = faults.every(({ atMs, kind, forMs }) => {
          const [least, most] = faultKinds[kind].lasts;
          return given.kinds.includes(kind) && atMs <= given.durationMs && forMs >= least && forMs <= most;
        });
        expect(isAsPlanned).toBe(true);
      }),
    );
  });

  test('has about as many as asked for, and every kind in an hour', () => {
    const faults = scheduleOf({ seed: 7, durationMs: 3_600_000, perMinute: 180 });
    expect(Math.abs(faults.length - 180 * 60)).toBeLessThan(4 * Math.sqrt(180 * 60));
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(kinds));
  });
});
