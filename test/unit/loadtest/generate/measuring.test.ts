import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRecorder } from '#loadtest/generate/recorder.ts';
import type { Outcome } from '#loadtest/measurement/measurement.ts';
import { parseServerTiming } from '#loadtest/generate/timing-recorder.ts';
import {
  createHistogram,
  decodeHistogram,
  encodeHistogram,
  mergeHistograms,
  percentileMs,
  recordDelayMs,
  recordMs,
} from '#loadtest/measurement/histogram.ts';
import { mergeFailures, mergeSlices, outcomeColumns, settledCount, sumCounts } from '#loadtest/measurement/merge.ts';
import { parseMetrics, summed } from '#loadtest/observe/prometheus.ts';
import type { Witness } from '#loadtest/measurement/witness.ts';
import { histogramOf, slice } from '../build-measurement.ts';

const latency = fc.double({ min: 0.001, max: 100_000, noNaN: true });

describe('a histogram', () => {
  test('gives every percentile within a thousandth, as a sorted list would', () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 100 }), (values, percentile) => {
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil((percentile / 100) * sorted.length) - 1] ?? 0;
        const found = percentileMs(decodeHistogram(histogramOf(...values)), percentile) ?? Number.NaN;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * 0.001 + 0.0011);
      }),
    );
  });

  test('is the same merged from parts as recorded whole', () => {
    fc.assert(
      fc.property(fc.array(latency, { maxLength: 100 }), fc.array(latency, { maxLength: 100 }), (a, b) => {
        const merged = mergeHistograms([histogramOf(...a), histogramOf(...b)]);
        expect(encodeHistogram(merged)).toBe(histogramOf(...a, ...b));
      }),
    );
  });

  test('takes what is out of range as the nearest it can hold, and has no percentile when empty', () => {
    expect(percentileMs(decodeHistogram(histogramOf(0)), 100)).toBe(0.001);
    expect(percentileMs(decodeHistogram(histogramOf(1e12)), 100)).toBeCloseTo(600_000, -3);
    expect(percentileMs(createHistogram(), 50)).toBeUndefined();
  });

  test('weighs a delay by how long it lasted', () => {
    const plain = createHistogram();
    const weighed = createHistogram();
    for (let i = 0; i < 900; i += 1) {
      recordMs(plain, 0.1);
      recordDelayMs(weighed, 0.1, 10);
    }
    recordMs(plain, 1_000);
    recordDelayMs(weighed, 1_000, 10);
    expect(percentileMs(plain, 99)).toBeLessThan(1);
    expect(percentileMs(weighed, 99)).toBeGreaterThan(800);
  });
});

describe('a recorder', () => {
  const outcome = fc.constantFrom<Outcome>('ok', 'refused', 'limited', 'http-error', 'wrong-answer', 'timeout', 'connection-error');

  test('counts every outcome once, in the second it happened, and loses none between hand-overs', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(outcome, fc.integer({ min: 0, max: 700 }), fc.boolean()), { maxLength: 60 }), (events) => {
        let now = 5_000;
        const recorder = createRecorder({ startSecond: 0, isScheduled: false, now: () => now });
        const slices = [];
        for (const [kind, passMs, handOver] of events) {
          recorder.sent('GET /x');
          now += passMs;
          recorder.settled('GET /x', kind, 12);
          if (handOver) slices.push(...recorder.take());
        }
        slices.push(...recorder.take(true));
        const counts = sumCounts(slices);
        expect(counts.sent).toBe(events.length);
        expect(settledCount(counts)).toBe(events.length);
        expect(new Set(slices.map(({ second }) => second)).size).toBe(slices.length);
      }),
    );
  });

  test('lets errors count for errors and not for latency, and timeouts for both', () => {
    const recorder = createRecorder({ startSecond: 0, isScheduled: false, now: () => 0 });
    const all = ['ok', 'refused', 'timeout', 'http-error', 'limited', 'wrong-answer', 'connection-error'] as const;
    for (const kind of all) recorder.settled('GET /x', kind, kind === 'timeout' ? 15_000 : 1);
    const [first] = recorder.take(true);
    const histogram = decodeHistogram(first?.latency ?? '');
    expect(histogram.totalCount).toBe(3);
    expect(percentileMs(histogram, 100)).toBeGreaterThan(14_990);
  });
});

const seen = (second: number): Witness => ({ says: 'internal', about: {}, second });

describe('merging', () => {
  test('makes one slice of those of several processes, in order', () => {
    const merged = mergeSlices([slice(10, [5]), slice(2, [1, 2]), slice(10, [7], { httpErrors: 2 })]);
    expect(merged.map(({ second, sent, ok, httpErrors }) => [second, sent, ok, httpErrors])).toEqual([
      [2, 2, 2, 0],
      [10, 4, 2, 2],
    ]);
    expect(outcomeColumns).toHaveLength(7);
  });

  test('adds up failures of the same kind and keeps the first witnesses', () => {
    const kind = { endpoint: 'GET /x', outcome: 'http-error', status: 500, fault: 'internal' } as const;
    const merged = mergeFailures([
      { ...kind, count: 2, witnesses: [seen(9), seen(10)] },
      { ...kind, status: 503, count: 4, witnesses: [seen(1)] },
      { ...kind, count: 3, witnesses: [seen(4), seen(5)] },
    ]);
    expect(merged.map(({ status, count, witnesses }) => [status, count, witnesses.map(({ second }) => second)])).toEqual([
      [500, 5, [4, 5, 9]],
      [503, 4, [1]],
    ]);
  });
});

describe('Server-Timing', () => {
  test.each([
    ['queue;dur=0.12, pool;dur=3, db;dur=2.5, app;dur=1', { queue: 0.12, pool: 3, db: 2.5, app: 1 }],
    ['db;desc="a;b";dur=4', { queue: 0, pool: 0, db: 4, app: 0 }],
    ['cache;desc=hit', undefined],
    ['db;dur=soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (header, timing) => {
    expect(parseServerTiming(header)).toEqual(timing);
  });
});

test('reads the metrics that are summed over workers, and leaves those of single ones', () => {
  const series = parseMetrics(`# HELP atalaya_pool_connections Connections.
# TYPE atalaya_pool_connections gauge
atalaya_pool_connections{state="in_use"} 3
atalaya_pool_connections{state="in_use",worker="1"} 2
atalaya_pool_connections{state="idle"} 17
atalaya_pool_max 40
odd{label="a \\" quoted, one"} 1.5e3 1700000000
not a metric
`);
  expect(summed(series, 'atalaya_pool_connections', { state: 'in_use' })).toBe(3);
  expect(summed(series, 'atalaya_pool_max')).toBe(40);
  expect(summed(series, 'atalaya_pool_connections', { state: 'in_use', worker: '1' })).toBeUndefined();
  expect(series.find(({ name }) => name === 'odd')).toEqual({ name: 'odd', labels: { label: 'a \\" quoted, one' }, value: 1_500 });
});
