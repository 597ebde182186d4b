import { describe, expect, test } from 'vitest';
import type { OpenLoad, PlayedPhase } from '#loadtest/measurement/measurement.ts';
import { budget, healthyMeasurement, histogramOf, judged, many, slice, withPhase, words } from '../build-measurement.ts';

const load: OpenLoad = {
  kind: 'open',
  users: 100,
  spacing: 'poisson',
  stages: [{ fromPerSecond: 100, toPerSecond: 100, durationMs: 2_000 }],
};
const phase: Partial<PlayedPhase> = { load, arrivals: { due: 300, dropped: [] } };

const checkOf = (id: string, measurement = withPhase(phase)) => judged(measurement).checks.find((check) => check.id === id);

const slowFor = (latencyMs: number, serviceMs: number) =>
  withPhase(
    { ...phase, sendLag: histogramOf(...many(100, latencyMs - serviceMs)) },
    { slices: [0, 1, 2].map((second) => slice(second, many(100, latencyMs), { service: histogramOf(...many(100, serviceMs)) })) },
  );

const limitOf = (p95Ms: number): string | undefined =>
  checkOf('arrivals-on-time', withPhase(phase, { budget: { ...budget, p95Ms } }))?.limit;

describe('of an open load', () => {
  test('everything that was due was sent when it was due: met', () => {
    expect(judged(withPhase(phase)).verdict).toBe('PASS');
    expect(checkOf('arrivals-sent')).toMatchObject({ outcome: 'met', measured: '0 of 300 dropped' });
    expect(checkOf('arrivals-on-time')).toMatchObject({ outcome: 'met', limit: '≤ 10 ms' });
  });

  test('what was dropped makes the run INVALID, named, however good it looks', () => {
    const measurement = withPhase({
      ...phase,
      arrivals: {
        due: 307,
        dropped: [
          [1, 3],
          [2, 4],
        ],
      },
    });
    expect(judged(measurement)).toMatchObject({ verdict: 'INVALID', reasons: [expect.stringMatching(/^7 of 307 dropped: all 100 users/)] });
  });

  test('a client that lost count of its schedule makes it INVALID', () => {
    const measurement = withPhase({ ...phase, arrivals: { due: 301, dropped: [] } });
    expect(judged(measurement)).toMatchObject({ verdict: 'INVALID', reasons: ['the client lost count of its schedule'] });
  });

  test('sent late: tolerated where nothing was missed, for it only makes the service look slower', () => {
    const measurement = withPhase({ ...phase, sendLag: histogramOf(...many(98, 1), 30, 30) });
    expect(judged(measurement).verdict).toBe('PASS');
    expect(checkOf('arrivals-on-time', measurement)).toMatchObject({ outcome: 'tolerated', measured: '30 ms' });
  });

  test('late because all users were busy is no fault of a service that answered in time: INVALID', () => {
    expect(judged(slowFor(900, 20)).verdict).toBe('INVALID');
  });

  test('a service that is slow from sending alone is a FAIL, whatever was added before', () => {
    expect(judged(slowFor(900, 600)).verdict).toBe('FAIL');
  });

  test('beside a closed one is held against its schedule alone', () => {
    const [closed] = healthyMeasurement().phases as [PlayedPhase];
    const [own] = withPhase(phase).phases as [PlayedPhase];
    const more: PlayedPhase = { ...own, startSecond: 3, load: { ...load, users: 70 }, arrivals: { due: 0, dropped: [[1, 2]] } };
    const late = { ...closed, startSecond: 6, sendLag: histogramOf(...many(100, 90)) };
    const measurement = healthyMeasurement({
      phases: [own, { ...late, arrivals: { due: 50, dropped: [[1, 9]] } }],
      slices: [...healthyMeasurement().slices, slice(6, many(100, 10)), slice(20, many(5, 10))],
    });
    expect(words(measurement, 'arrivals-sent')).toEqual(['met', '0 of 300 dropped', '0', '']);
    expect(words(measurement, 'arrivals-on-time').slice(0, 2)).toEqual(['met', '1 ms']);
    expect(words({ ...measurement, phases: [own, more, late] }, 'arrivals-sent')[3]).toBe(
      '2 of 300 dropped: all 100 users were waiting for answers, or the client stood still, so less was asked than meant',
    );
  });

  test('of which nothing was due, or sent, is not checked', () => {
    const nothing = withPhase({ ...phase, arrivals: { due: 0, dropped: [] }, sendLag: histogramOf() }, { slices: [] });
    expect(words(nothing, 'arrivals-sent')).toEqual(['not-checked', '–', '0', 'nothing was due']);
    expect(words(nothing, 'arrivals-on-time').slice(0, 1)).toEqual(['not-checked']);
    expect(checkOf('arrivals-on-time', nothing)?.reason).toBe('nothing was sent in the measured window');
  });

  test('may be late by a twentieth of the p95 limit, and by 10 ms at most', () => {
    expect([100, 200, 1_000].map(limitOf)).toEqual(['≤ 5 ms', '≤ 10 ms', '≤ 10 ms']);
    expect(words(slowFor(900, 600), 'arrivals-on-time')[3]).toMatch(
      /^1 % of the requests left 30\d ms or more after they were due, which counts as the service's time$/,
    );
  });

  test('a closed load has no schedule to hold it against', () => {
    expect(checkOf('arrivals-sent', healthyMeasurement())).toBeUndefined();
  });
});

describe('of a load in steps', () => {
  const stages = [10, 100, 50].map((rate) => ({ fromPerSecond: rate, toPerSecond: rate, durationMs: 1_000 }));
  /** 40 answers a second, those of the second step as slow as given. */
  const steps = (secondMs: number, changes: Partial<PlayedPhase> = {}) =>
    withPhase(
      { ...phase, load: { ...load, stages }, warmUpMs: 0, durationMs: 3_000, arrivals: { due: 120, dropped: [] }, ...changes },
      { slices: [10, secondMs, 10].map((ms, second) => slice(second, many(40, ms))) },
    );

  test('each is judged by itself, and named by its rate', () => {
    expect(checkOf('step-latency', steps(10))).toMatchObject({ outcome: 'met', measured: '3 of 3' });
    expect(checkOf('step-latency', steps(250))).toMatchObject({
      outcome: 'broken',
      measured: 'step 100/s: 40 of 40 (100.0 %) were too slow',
    });
  });

  test('a stage that ends within a second leaves that second to nobody', () => {
    const shifted = [1_500, 1_500].map((durationMs) => ({ fromPerSecond: 40, toPerSecond: 40, durationMs }));
    expect(checkOf('step-latency', steps(250, { load: { ...load, stages: shifted } }))?.outcome).toBe('met');
  });

  test('errors of one step are not thinned by the others', () => {
    const measurement = steps(10);
    const slices = measurement.slices.map((one) => (one.second === 1 ? { ...one, ok: 30, httpErrors: 10 } : one));
    expect(checkOf('step-errors', { ...measurement, slices })?.measured).toBe('step 100/s: 10 of 40 (25.0 %) failed');
  });

  test('one step is the run itself and is not judged twice', () => {
    expect(checkOf('step-latency')).toBeUndefined();
  });
});
