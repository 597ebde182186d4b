import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { addLatency, latencyPoint, mergeLatency, noLatency, type LatencySketch } from '#monitor/model/latency.ts';

const sketchOf = (times: readonly number[]): LatencySketch => times.reduce(addLatency, noLatency);
const latencies = fc.array(fc.double({ min: 0.1, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });
const nearestRank = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.ceil(share * times.length) - 1] ?? Number.NaN;

test('percentiles are those of the nearest rank to 2.5 %, and the longest is exact', () => {
  fc.assert(
    fc.property(latencies, (times) => {
      const { looks, p50Ms, p95Ms, longestMs } = latencyPoint(0, sketchOf(times));
      expect([looks, longestMs]).toEqual([times.length, Math.max(...times)]);
      for (const [shown, share] of [[p50Ms, 0.5] as const, [p95Ms, 0.95] as const]) {
        const exact = nearestRank(times, share);
        expect(Math.abs(shown - exact)).toBeLessThanOrEqual(exact * 0.025);
      }
      expect(p50Ms).toBeLessThanOrEqual(p95Ms);
      expect(p95Ms).toBeLessThanOrEqual(longestMs);
    }),
  );
});

test('it makes no difference how a time is cut into pieces, or in which order they are added', () => {
  fc.assert(
    fc.property(latencies, latencies, (a, b) => {
      const whole = latencyPoint(0, sketchOf([...a, ...b]));
      expect(latencyPoint(0, mergeLatency(sketchOf(a), sketchOf(b)))).toEqual(whole);
      expect(latencyPoint(0, mergeLatency(sketchOf(b), sketchOf(a)))).toEqual(whole);
    }),
  );
});

test('an answer too quick to be timed counts as 0.1 ms at most', () => {
  expect(latencyPoint(7, sketchOf([0]))).toEqual({ at: 7, looks: 1, p50Ms: 0, p95Ms: 0, longestMs: 0 });
});
