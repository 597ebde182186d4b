import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Check } from '#loadtest/judge/check.ts';
import { judgeGrowth, slopeOf } from '#loadtest/judge/growth.ts';
import type { Measurement, ServerSample } from '#loadtest/measurement/measurement.ts';
import { judged, withPhase } from '../build-measurement.ts';

const mib = 2 ** 20;

/** A run of so many measured seconds after one of warming up, and all its workers in each: their sizes in MiB. */
const watched = (seconds: number, ...sizes: readonly ((second: number) => number)[]): Measurement => {
  const samples = Array.from({ length: seconds + 1 }, (_, second): ServerSample => ({
    second,
    pool: null,
    backends: null,
    workers: sizes.map((size, index) => ({
      worker: String(index + 1),
      residentBytes: size(second) * mib,
      loopDelayMs: 1,
      connectionsInUse: 0,
    })),
  }));
  return withPhase({ durationMs: seconds * 1_000 }, { samples });
};

const steady = () => 120;

const growthOf = (measurement: Measurement): Check | undefined => judgeGrowth(measurement)[0];

const head = { id: 'memory-growth', kind: 'limit', title: 'Memory of each worker keeps its size', limit: '< 4.0 MiB/s' } as const;

test('a worker that grows by 20 MB a second is a FAIL, named with the worker', () => {
  const leaking = watched(15, steady, (second) => 100 + 20 * second);
  expect(judged(leaking)).toMatchObject({ verdict: 'FAIL' });
  expect(judgeGrowth(leaking)).toEqual([
    {
      ...head,
      outcome: 'broken',
      measured: '20.0 MiB/s at least',
      reason: 'memory grows without an end in sight: worker 2 by 20.0 MiB/s (280.0 MiB in 15 looks)',
      witnesses: [{ says: 'grew from 120.0 MiB to 400.0 MiB', about: { worker: '2' }, second: 1 }],
    },
  ]);
});

test('of several that grow each is named, and the fastest is what was measured', () => {
  const check = growthOf(
    watched(
      15,
      (second) => 100 + 8 * second,
      (second) => 100 + 20 * second,
    ),
  );
  expect(check).toMatchObject({ outcome: 'broken', measured: '20.0 MiB/s at least' });
  expect(check?.reason).toMatch(
    /: worker 1 by 8\.0 MiB\/s \(112\.0 MiB in 15 looks\), worker 2 by 20\.0 MiB\/s \(280\.0 MiB in 15 looks\)$/,
  );
});

test.each<[string, string, Measurement]>([
  ['keeps its size', '0 B/s at least', watched(15, steady)],
  ['shrinks', '0 B/s at least', watched(15, (second) => 200 - 5 * second)],
  ['grows a little', '1.0 MiB/s at least', watched(200, (second) => 100 + second)],
  ['grows by a few bytes', '333 B/s at least', watched(15, (second) => 100 + (second * 1_000) / 3 / mib)],
])('a worker that %s has no leak: %s', (_what, measured, measurement) => {
  expect(judgeGrowth(measurement)).toEqual([{ ...head, outcome: 'met', measured, reason: '' }]);
});

test('a heap that is collected now and then and comes back to its size is none', () => {
  expect(growthOf(watched(30, (second) => 100 + 12 * (second % 8)))?.outcome).toBe('met');
});

test('a heap that fills for the first time and then keeps its size is none', () => {
  expect(growthOf(watched(30, (second) => 100 + Math.min(60, 15 * second)))?.outcome).toBe('met');
  expect(growthOf(watched(30, (second) => 200 - 100 * Math.exp(-second / 4)))?.outcome).toBe('met');
});

test('the limits: 4 MiB a second are too fast, and a heap may settle by 64 MiB', () => {
  expect(growthOf(watched(30, (second) => 4 * second))?.outcome).toBe('broken');
  expect(growthOf(watched(30, (second) => 3.99 * second))?.outcome).toBe('met');
  expect(growthOf(watched(9, (second) => 8 * second))?.outcome).toBe('met');
  expect(growthOf(watched(9, (second) => 8.01 * second))?.outcome).toBe('broken');
});

test('with fewer than eight looks nothing can be told', () => {
  expect(growthOf(watched(8, (second) => 50 * second))?.outcome).toBe('broken');
  expect(growthOf(watched(7, (second) => 50 * second))).toEqual({
    ...head,
    outcome: 'not-checked',
    measured: '–',
    reason: 'the workers were not asked often enough: set ADMIN_TOKEN, or play longer',
  });
});

test('only while it is measured a worker must keep its size: not before, not between phases, not afterwards', () => {
  const grown = watched(40, (second) => 100 * second);
  const [phase] = grown.phases as [Measurement['phases'][number]];
  const short = { ...phase, warmUpMs: 1_000, durationMs: 3_000 };
  expect(growthOf({ ...grown, phases: [short] })?.outcome).toBe('not-checked');
  // Seconds 2 to 4, 12 to 14 and 22 to 23: eight of them.
  const phases = [1, 11].map((startSecond) => ({ ...short, startSecond }));
  expect(growthOf({ ...grown, phases: [...phases, { ...short, startSecond: 21, durationMs: 2_000 }] })?.reason).toMatch(
    /\(2,?[0-9.]+ (?:M|G)iB in 8 looks\)$/,
  );
});

const series = (...bytes: readonly number[]) => bytes.map((each, second) => ({ second, bytes: each }));

describe('the slope of a series', () => {
  test.each([
    // Of n points, n(n − 1) ÷ 2 slopes; Sen's rank of the least is (slopes − 3.09 √(n(n − 1)(2n + 5) ÷ 18)) ÷ 2, counted from one.
    [8, 1],
    [10, 4],
    [12, 9],
    [20, 46],
    [40, 256],
  ])('of %i points is the median of all slopes, and at least the one that %i are below', (count, below) => {
    const points = series(...Array.from({ length: count }, (_, second) => second ** 3 - 90 * second ** 2));
    const slopes: number[] = [];
    for (const a of points) for (const b of points) if (a.second < b.second) slopes.push((b.bytes - a.bytes) / (b.second - a.second));
    slopes.sort((a, b) => a - b);
    expect(slopeOf(points)).toEqual({ median: slopes[Math.round((slopes.length - 1) / 2)], least: slopes[below] });
  });

  test('is never believed to be more than its median', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 8, maxLength: 40 }), (values) => {
        const { median, least } = slopeOf(series(...values));
        expect(least).toBeLessThanOrEqual(median);
      }),
    );
  });

  test('is not made by one outlier', () => {
    expect(slopeOf(series(...Array.from({ length: 20 }, (_, second) => (second === 19 ? 1e9 : 100)))).median).toBe(0);
  });

  test('is none of two looks in the same second, and none where there is nothing to tell it from', () => {
    expect(
      slopeOf([
        { second: 1, bytes: 5 },
        { second: 1, bytes: 9 },
      ]),
    ).toEqual({ median: 0, least: 0 });
    expect(slopeOf([])).toEqual({ median: 0, least: 0 });
  });
});

describe('a soak of ten minutes', () => {
  test('finds a leak of a quarter of a mebibyte a second, which no short run can tell', () => {
    expect(growthOf(watched(600, steady, (second) => 100 + second / 4))).toMatchObject({ outcome: 'broken', limit: '< 218.5 KiB/s' });
    expect(growthOf(watched(60, (second) => 100 + second / 4))?.outcome).toBe('met');
  });

  test('forgives what grows to its size in the first half and keeps it', () => {
    expect(growthOf(watched(600, (second) => 100 + Math.min(290, second)))?.outcome).toBe('met');
  });

  test('of hours is compared in no more pairs than one of minutes', () => {
    const startedMs = performance.now();
    const check = growthOf(watched(28_800, (second) => 100 + second / 60));
    expect(check).toMatchObject({ outcome: 'broken', reason: expect.stringMatching(/in \d{3} looks/) as string });
    expect(performance.now() - startedMs).toBeLessThan(20_000);
  });
});
