import { describe, expect, test } from 'vitest';
import type { PlayedPhase } from '#loadtest/measurement/measurement.ts';
import { chartSeries } from '#loadtest/report/chart-series.ts';
import { rateCurve } from '#loadtest/report/rate-curve.ts';
import { healthyMeasurement, histogramOf, many, quietSecond, slice } from '../build-measurement.ts';

const [closed] = healthyMeasurement().phases as readonly [PlayedPhase];

/** A second of warm-up and two seconds of a rate, or from one to another. */
const open = (startSecond: number, fromPerSecond: number, toPerSecond = fromPerSecond): PlayedPhase => ({
  ...closed,
  name: `${fromPerSecond}/s`,
  startSecond,
  load: { kind: 'open', users: 10, spacing: 'even', stages: [{ fromPerSecond, toPerSecond, durationMs: 2_000 }] },
  arrivals: { due: 2 * fromPerSecond, dropped: [] },
  sendLag: histogramOf(0.1),
});

describe('the arrivals of an open load', () => {
  const measurement = healthyMeasurement({
    phases: [{ ...open(0, 100, 200), arrivals: { due: 367, dropped: [[2, 7]] } }],
    slices: [0, 1, 2, 3].map((second) => slice(second, many(90, 5))),
  });

  test('are shown as the schedule meant them, as they left, and as they were dropped, up to the end of the schedule', () => {
    expect(chartSeries(measurement).arrivals).toEqual({
      second: [0, 1, 2, 3],
      meant: [100, 125, 175, null],
      sent: [90, 90, 90, null],
      dropped: [0, 0, 7, 0],
    });
  });

  test('are not shown where users pause by themselves', () => {
    expect(chartSeries(healthyMeasurement()).arrivals.second).toEqual([]);
  });
});

test('answers that come after the end are no throughput', () => {
  const late = healthyMeasurement({ slices: [0, 1, 2, 3].map((second) => slice(second, many(50, 10))) });
  expect(chartSeries(late).traffic.right).toEqual([50, 50, 50, null]);
});

test('429 are shown beside all other answers of their second', () => {
  const limited = healthyMeasurement({ slices: [slice(0, many(10, 5)), slice(1, many(4, 5), { limited: 6, httpErrors: 1 })] });
  expect(chartSeries(limited).limiter).toEqual({ second: [0, 1], limited: [0, 6], others: [10, 5] });
});

describe('latency by rate', () => {
  const rates = [10, 20, 40, 80, 160, 320];
  const search = healthyMeasurement({
    phases: rates.map((rate, index) => open(3 * index, rate)),
    slices: rates.flatMap((rate, index) => [1, 2].map((second) => slice(3 * index + second, many(rate, rate < 320 ? 10 : 900)))),
    machine: Array.from({ length: 3 * rates.length }, (_, second) => quietSecond(second)),
    people: { users: 100, thinkMs: [1_000, 1_000] },
  });

  test('parts what was kept from what was missed, and names what people ask for', () => {
    const curve = rateCurve(search);
    expect(curve?.rate).toEqual(rates);
    expect(curve?.kept.map((p95) => p95 !== null)).toEqual([true, true, true, true, true, false]);
    expect(curve?.missed.at(-1)).toBeCloseTo(900, 0);
    expect(curve?.demand).toBe(100);
    expect(curve?.knee).toBe(160);
  });

  test('is no curve of one rate, nor of users who pause', () => {
    expect(rateCurve(healthyMeasurement({ phases: [open(0, 10)] }))).toBeUndefined();
    expect(rateCurve(healthyMeasurement())).toBeUndefined();
  });
});
