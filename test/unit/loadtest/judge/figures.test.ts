import { expect, test } from 'vitest';
import { figuresOf } from '#loadtest/judge/figures.ts';
import { healthyMeasurement, many, orderSlice, slice, withPhase } from '../build-measurement.ts';

/** Warm-up in second 0, measured in seconds 1 and 2, answers of the last requests until second 4. */
const measurement = withPhase(
  { warmUpMs: 1_000, durationMs: 2_000 },
  { slices: [slice(0, many(50, 10)), slice(1, many(100, 10)), slice(2, many(100, 10)), slice(4, many(60, 900))] },
);

test('throughput counts right answers within the measured window, neither those before nor those after', () => {
  expect(figuresOf(measurement).throughput).toBe(100);
});

test('latency counts answers that came after the last request was sent: they are the slowest', () => {
  expect(figuresOf(measurement).latency).toMatchObject({ count: 260 });
  expect(figuresOf(measurement).latency.maxMs).toBeCloseTo(900, 0);
});

test('errors count over the whole run, warm-up included', () => {
  const failing = withPhase({}, { slices: [slice(0, [], { httpErrors: 10 }), slice(1, many(90, 10))] });
  expect(figuresOf(failing).errorRate).toBeCloseTo(0.1);
});

test('several phases have their windows each', () => {
  const [first] = measurement.phases;
  const phases = first ? [first, { ...first, startSecond: 5 }] : [];
  const slices = [...measurement.slices, slice(5, many(40, 10)), slice(6, many(300, 10)), slice(7, many(300, 10)), slice(9, many(40, 10))];
  expect(figuresOf({ ...measurement, phases, slices }).throughput).toBe(200);
});

test('a phase without warm-up is measured from its first second', () => {
  const cold = withPhase(
    { warmUpMs: 0, durationMs: 2_000, startSecond: 3 },
    { slices: [slice(3, many(100, 10)), slice(4, many(100, 10))] },
  );
  expect(figuresOf(cold)).toMatchObject({ throughput: 100, latency: { count: 200 } });
});

test('the second after the window is no longer measured for throughput', () => {
  expect(figuresOf({ ...measurement, slices: [...measurement.slices, slice(3, many(50, 10))] }).throughput).toBe(100);
});

test('an honest refusal is a right answer', () => {
  const slices = [slice(1, many(90, 10), { ok: 60, refused: 30 }), slice(2, many(110, 10), { ok: 100, refused: 10, httpErrors: 5 })];
  expect(figuresOf({ ...measurement, slices }).throughput).toBe(100);
});

test('of a run that played nothing and got no answer all figures are nought or unknown', () => {
  const { throughput, errorRate, latency, endpoints } = figuresOf(healthyMeasurement({ phases: [], slices: [] }));
  expect({ throughput, errorRate, endpoints }).toEqual({ throughput: 0, errorRate: 0, endpoints: [] });
  expect(latency).toEqual({ count: 0, meanMs: null, p50Ms: null, p90Ms: null, p95Ms: null, p99Ms: null, maxMs: null });
});

test('what came before the first phase is no part of any', () => {
  const early = withPhase({ startSecond: 5 }, { slices: [slice(0, many(100, 900)), slice(6, many(100, 10))] });
  expect(figuresOf(early).latency).toMatchObject({ count: 100 });
});

test('each endpoint has its own figures, the one asked most first; errors count while warming up, latency does not', () => {
  const slices = [
    orderSlice(0, many(5, 900), { httpErrors: 3 }),
    orderSlice(1, many(10, 20)),
    slice(1, many(50, 10)),
    { ...slice(2, many(30, 1_000)), endpoint: 'GET /reports' },
  ];
  const { endpoints, latency } = figuresOf({ ...measurement, slices, disturbed: ['GET /reports'] });
  expect(endpoints).toMatchObject([
    { endpoint: 'GET /products/:id', counts: { sent: 50 }, latency: { count: 50 }, isJudged: true },
    { endpoint: 'GET /reports', counts: { sent: 30 }, latency: { count: 30 }, isJudged: false },
    { endpoint: 'POST /orders', counts: { sent: 18, httpErrors: 3 }, latency: { count: 10 }, isJudged: true },
  ]);
  expect(latency.count).toBe(60);
});

test('figures are made once for each measurement', () => {
  expect(figuresOf(measurement)).toBe(figuresOf(measurement));
});

test('percentiles are those of the answers', () => {
  const answers = Array.from({ length: 100 }, (_, i) => 100 + i);
  const { latency } = figuresOf({ ...measurement, slices: [slice(1, answers)] });
  const known = { meanMs: 149.5, p50Ms: 149, p90Ms: 189, p95Ms: 194, p99Ms: 198, maxMs: 199 };
  for (const [name, ms] of Object.entries(known)) expect(latency[name as keyof typeof known]).toBeCloseTo(ms, 0);
});
