import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrivalTimes, everyNth, expectedArrivals } from '#loadtest/generate/arrivals.ts';
import { createRandom } from '#loadtest/generate/random.ts';
import type { RateStage } from '#loadtest/measurement/measurement.ts';

const rate = fc.double({ min: 0.5, max: 500, noNaN: true });
const stage = fc.record({ fromPerSecond: rate, toPerSecond: rate, durationMs: fc.integer({ min: 1, max: 5_000 }) });
const stages = fc.array(stage, { minLength: 1, maxLength: 4 });

const timesOf = (given: readonly RateStage[], spacing: 'poisson' | 'even', seed = 1, warmUpMs = 0): number[] => [
  ...arrivalTimes({ stages: given, spacing }, warmUpMs, createRandom(seed, 0)),
];

const held = (perSecond: number, durationMs: number): RateStage => ({ fromPerSecond: perSecond, toPerSecond: perSecond, durationMs });

describe('the schedule of arrivals', () => {
  test('stands before the run: one seed is one schedule, in order, within its time', () => {
    fc.assert(
      fc.property(
        stages,
        fc.constantFrom('poisson', 'even'),
        fc.nat(),
        fc.integer({ min: 0, max: 2_000 }),
        (given, spacing, seed, warmUp) => {
          const times = timesOf(given, spacing, seed, warmUp);
          expect(times).toEqual(timesOf(given, spacing, seed, warmUp));
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          const wholeMs = given.reduce((sum, { durationMs }) => sum + durationMs, warmUp);
          for (const time of times) expect(time >= 0 && time <= wholeMs).toBe(true);
        },
      ),
    );
  });

  test('even spacing holds in every stretch as many as the rates promise, to one', () => {
    fc.assert(
      fc.property(stages, (given) => {
        const times = timesOf(given, 'even');
        let endMs = 0;
        given.forEach(({ durationMs }, i) => {
          endMs += durationMs;
          const expected = expectedArrivals(given.slice(0, i + 1));
          expect(Math.abs(times.filter((time) => time <= endMs).length - expected)).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  test('even spacing of a held rate is that of a metronome', () => {
    expect(timesOf([held(4, 1_000)], 'even')).toEqual([125, 375, 625, 875]);
  });

  test('a ramp from nothing brings three quarters of its requests in its second half', () => {
    const times = timesOf([{ fromPerSecond: 0, toPerSecond: 100, durationMs: 2_000 }], 'even');
    expect(times).toHaveLength(100);
    expect(times.filter((time) => time < 1_000)).toHaveLength(25);
  });

  test('a rate of nothing sends nothing, and the next stage begins on time', () => {
    const times = timesOf([held(0, 1_000), held(2, 1_000)], 'even');
    expect(times).toEqual([1_250, 1_750]);
  });

  test('during warm-up the first rate is held', () => {
    expect(timesOf([{ fromPerSecond: 2, toPerSecond: 4, durationMs: 1_000 }], 'even', 1, 1_000).filter((time) => time < 1_000)).toEqual([
      250, 750,
    ]);
  });

  // 20,000 gaps: their mean is right to 1 % (five standard errors are 3.5 %), and a third of them are longer than the mean, as
  // an exponential distribution has it (1/e).
  test('poisson arrivals have exponential gaps and counts as scattered as they are many', () => {
    const times = timesOf([held(200, 100_000)], 'poisson', 7);
    const gaps = times.map((time, i) => time - (times[i - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(mean).toBeGreaterThan(5 * 0.965);
    expect(mean).toBeLessThan(5 * 1.035);
    expect(gaps.filter((gap) => gap > 5).length / gaps.length).toBeCloseTo(1 / Math.E, 1);
    const counts = Array.from({ length: 100 }, (_, s) => times.filter((time) => Math.floor(time / 1_000) === s).length);
    const variance = counts.reduce((sum, count) => sum + (count - 200) ** 2, 0) / counts.length;
    // Of a hundred counts the dispersion lies within ±0.6 of 1 but once in 10,000; evenly spaced it would be 0.
    expect(variance / 200).toBeGreaterThan(0.5);
    expect(variance / 200).toBeLessThan(1.6);
  });

  test('processes share one schedule: together they send all of it, each its own part', () => {
    fc.assert(
      fc.property(stages, fc.integer({ min: 1, max: 4 }), (given, n) => {
        const all = timesOf(given, 'poisson');
        const shares = Array.from({ length: n }, (_, place) => [...everyNth(all, n, place)]);
        expect(shares.flat().toSorted((a, b) => a - b)).toEqual(all);
        expect(Math.max(...shares.map(({ length }) => length)) - Math.min(...shares.map(({ length }) => length))).toBeLessThanOrEqual(1);
      }),
    );
  });
});
