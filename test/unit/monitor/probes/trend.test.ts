import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTrend, surePace, timeToFull } from '#monitor/probes/trend.ts';

const minute = 60_000;
const hour = 60 * minute;

/** Watches an amount each minute. */
function watch(hours: number, amountAt: (hour: number) => number) {
  const trend = createTrend();
  for (let atMs = 0; atMs <= hours * hour; atMs += minute) trend.add({ atMs, amount: amountAt(atMs / hour) });
  return trend.samples();
}

describe('the forecast of a disk', () => {
  test('says nothing from few samples, however steep they are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000_000 }), { maxLength: 9, size: 'max' }), (unordered) => {
        const amounts = unordered.toSorted((a, b) => a - b);
        expect(
          timeToFull(
            amounts.map((amount, index) => ({ atMs: index * minute, amount })),
            1,
          ),
        ).toBeUndefined();
      }),
    );
  });

  test('tells a steady pace, when what is left is no further away than it has watched', () => {
    expect(
      timeToFull(
        watch(48, (at) => at),
        40,
      )?.leftMs,
    ).toBeCloseTo(40 * hour, -3);
    expect(
      timeToFull(
        watch(48, (at) => at),
        49,
      ),
    ).toBeUndefined();
  });

  test('finds a pace through noise', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: -2, max: 2, noNaN: true })), (noise) => {
        const leftMs =
          timeToFull(
            watch(48, (at) => at + (noise.next().value ?? 0)),
            20,
          )?.leftMs ?? Infinity;
        expect(leftMs).toBeGreaterThan(18 * hour);
        expect(leftMs).toBeLessThan(26 * hour);
      }),
    );
  });

  test('makes no trend of steps, of a backup that comes and goes, or of nothing', () => {
    expect(
      timeToFull(
        watch(48, (at) => (at < 24 ? 0 : 50)),
        10,
      ),
    ).toBeUndefined();
    expect(
      timeToFull(
        watch(24 * 6, (at) => at % 24),
        25,
      ),
    ).toBeUndefined();
    expect(
      timeToFull(
        watch(48, () => 7),
        1,
      ),
    ).toBeUndefined();
  });

  test('makes a trend of noise alone in at most one of 50 series', () => {
    let told = 0;
    const series = fc.sample(fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 60, maxLength: 60 }), {
      numRuns: 2_000,
      seed: 7,
    });
    for (const amounts of series) if ((surePace(amounts.map((amount, index) => ({ atMs: index * minute, amount }))) ?? 0) > 0) told += 1;
    expect(told).toBeLessThanOrEqual(40);
  });

  test('is made from a bounded number of samples, over months too', () => {
    expect(watch(24 * 60, (at) => at).length).toBeLessThanOrEqual(64);
  });
});
