import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { slopeOf } from '#loadtest/judge/growth.ts';
import type { Measurement, ServerSample } from '#loadtest/measurement/measurement.ts';
import { judged, withPhase } from '../build-measurement.ts';

const mib = 2 ** 20;

/** Two workers looked at every second of a run; the second one as given. */
const watched = (seconds: number, bytes: (second: number) => number): Measurement => {
  const samples = Array.from({ length: seconds }, (_, second): ServerSample => ({
    second,
    pool: null,
    backends: null,
    workers: [
      { worker: '1', residentBytes: 120 * mib, loopDelayMs: 1, connectionsInUse: 0 },
      { worker: '2', residentBytes: bytes(second), loopDelayMs: 1, connectionsInUse: 0 },
    ],
  }));
  return withPhase({ durationMs: (seconds - 1) * 1_000 }, { samples });
};

const growthOf = (measurement: Measurement) => judged(measurement).checks.find(({ id }) => id === 'memory-growth');

test('a worker that grows by 20 MB a second is a FAIL, named with the worker', () => {
  const judgement = judged(watched(16, (second) => (100 + 20 * second) * mib));
  expect(judgement.verdict).toBe('FAIL');
  expect(judgement.reasons).toEqual([expect.stringMatching(/worker 2 by 20\.0 MiB\/s/)]);
  expect(judgement.reasons.join()).not.toMatch(/worker 1/);
  expect(growthOf(watched(16, (second) => (100 + 20 * second) * mib))?.witnesses?.[0]?.about).toEqual({ worker: '2' });
});

test('a heap that is collected now and then and comes back to its size is none', () => {
  expect(growthOf(watched(30, (second) => (100 + 12 * (second % 8)) * mib))?.outcome).toBe('met');
});

test('a heap that fills for the first time and then keeps its size is none', () => {
  expect(growthOf(watched(30, (second) => (100 + Math.min(60, 15 * second)) * mib))?.outcome).toBe('met');
  expect(growthOf(watched(30, (second) => (200 - 100 * Math.exp(-second / 4)) * mib))?.outcome).toBe('met');
});

test('a little growth in a short run is none: a heap of that size may still settle', () => {
  expect(growthOf(watched(9, (second) => (100 + 6 * second) * mib))?.outcome).toBe('met');
});

test('too few looks tell nothing', () => {
  expect(growthOf(watched(6, (second) => (100 + 50 * second) * mib))?.outcome).toBe('not-checked');
});

test('a slope is never believed to be more than its median, and one outlier does not make one', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 8, maxLength: 40 }), (values) => {
      const { median, least } = slopeOf(values.map((bytes, second) => ({ second, bytes })));
      expect(least).toBeLessThanOrEqual(median);
    }),
  );
  const flat = Array.from({ length: 20 }, (_, second) => ({ second, bytes: second === 19 ? 1e9 : 100 }));
  expect(slopeOf(flat).median).toBe(0);
});
