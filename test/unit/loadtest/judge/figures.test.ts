import { expect, test } from 'vitest';
import { figuresOf } from '#loadtest/judge/figures.ts';
import { many, slice, withPhase } from '../build-measurement.ts';

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
