import { describe, expect, test } from 'vitest';
import { judgeSteps } from '#loadtest/judge/step-limits.ts';
import type { Load, Measurement, OpenLoad, PlayedPhase, Slice } from '#loadtest/measurement/measurement.ts';
import { healthyMeasurement, lateClient, many, orderSlice, slice, withPhase } from '../build-measurement.ts';

const open = (...stages: OpenLoad['stages']): OpenLoad => ({ kind: 'open', users: 100, spacing: 'poisson', stages });
const stage = (fromPerSecond: number, toPerSecond: number, durationMs = 1_000) => ({ fromPerSecond, toPerSecond, durationMs });

const [phase] = withPhase({}).phases as [PlayedPhase];

/** A phase of each load, a second of warm-up and a second measured, one after the other. */
const phases = (...loads: readonly Load[]): PlayedPhase[] =>
  loads.map((load, i) => ({ ...phase, name: `part ${i}`, load, durationMs: 1_000, startSecond: 2 * i }));

const closed: Load = { kind: 'closed', users: 10, thinkMs: [0, 0] };
const never: Load = { kind: 'saturating', users: 10 };

const words = (measurement: Measurement, id: string): (string | undefined)[] => {
  const { outcome, measured, limit, reason } = judgeSteps(measurement).find((check) => check.id === id) ?? {};
  return [outcome, measured, limit, reason];
};

const played = (loads: readonly Load[], slices: readonly Slice[], more: Partial<Measurement> = {}): Measurement =>
  healthyMeasurement({ phases: phases(...loads), slices, machine: [], ...more });

/** Two phases of users who pause; what ends in that second is slow. */
const slowIn = (second: number): Measurement => played([closed, closed], [slice(1, many(40, 10)), slice(second, many(40, 250))]);
const slowAtTheEnd = (firstMs: number): Slice[] => [slice(1, many(40, firstMs)), slice(3, many(40, 600))];

/** A second from 10/s to 100/s and a second of 100/s, of which one is slow. */
const rampSlowIn = (second: number): Measurement => ({
  ...withPhase({ load: open(stage(10, 100), stage(100, 100)) }),
  slices: [1, 2].map((one) => slice(one, many(40, one === second ? 250 : 10))),
});

describe('steps', () => {
  test('are told with their limits when they keep them', () => {
    const fine = played([closed, closed], [slice(1, many(40, 10)), slice(3, many(40, 10))]);
    expect(words(fine, 'step-latency')).toEqual(['met', '2 of 2', '95 % < 200 ms, 99 % < 500 ms', '']);
    expect(words(fine, 'step-errors')).toEqual(['met', '2 of 2', '< 1.00 %', '']);
  });

  test('of users who pause are named by their phase, and warm-up belongs to none', () => {
    expect(words(slowIn(3), 'step-latency')).toEqual([
      'broken',
      'step part 1: 40 of 40 (100.0 %) were too slow',
      '95 % < 200 ms, 99 % < 500 ms',
      'step part 1: 40 of 40 (100.0 %) were too slow; allowed is 95 % < 200 ms, 99 % < 500 ms',
    ]);
    expect(words(slowIn(2), 'step-latency')[0]).toBe('met');
  });

  test('of users who never pause have no latency of their own, and errors all the same', () => {
    const measurement = played([never, never], [slice(1, many(40, 900)), slice(3, many(40, 900), { ok: 30, httpErrors: 10 })]);
    expect(words(measurement, 'step-latency').slice(0, 2)).toEqual(['not-checked', '–']);
    expect(judgeSteps(measurement)[0]?.reason).toBe('users who never pause make the latency themselves');
    expect(words(measurement, 'step-errors').slice(0, 2)).toEqual(['broken', 'step part 1: 10 of 40 (25.0 %) failed']);
    expect(words(played([never, closed], [slice(1, many(40, 900)), slice(3, many(40, 10))]), 'step-latency').slice(0, 2)).toEqual([
      'met',
      '1 of 1',
    ]);
  });

  test('of a schedule begin after the warm-up, and are named by the rates they go through', () => {
    expect(words(rampSlowIn(1), 'step-latency')[1]).toBe('step 10–100/s: 40 of 40 (100.0 %) were too slow');
    expect(words(rampSlowIn(2), 'step-latency')[1]).toBe('step 100/s: 40 of 40 (100.0 %) were too slow');
  });

  test('that are slow in more than one place are all named', () => {
    const both = played([closed, closed], [slice(1, many(40, 600)), slice(3, [...many(30, 10), ...many(10, 250)])]);
    expect(words(both, 'step-latency')[1]).toBe(
      'step part 0: 40 of 40 (100.0 %) were too slow; step part 1: 10 of 40 (25.0 %) were too slow',
    );
    expect(words(both, 'step-latency')[3]).toMatch(/\(100\.0 %\) were too slow; step part 1.*; allowed is 95 %/);
  });

  test('are slow by their slowest hundredth too', () => {
    const tail = played([closed, closed], [slice(1, many(1_000, 10)), slice(3, [...many(970, 10), ...many(30, 600)])]);
    expect(words(tail, 'step-latency')[1]).toBe('step part 1: 30 of 1,000 (3.00 %) were too slow');
  });

  test('are not judged by endpoints that were slowed on purpose', () => {
    const slices = [slice(1, many(40, 10)), slice(3, many(40, 10)), orderSlice(3, many(40, 900))];
    expect(words(played([closed, closed], slices), 'step-latency')[0]).toBe('broken');
    expect(words(played([closed, closed], slices, { disturbed: ['POST /orders'] }), 'step-latency')[0]).toBe('met');
  });

  test('that a client who was late explains are excused, and do not excuse the others', () => {
    const late = phases(closed, closed).map((one) => ({ ...one, ...lateClient(700, 3) }));
    expect(words(healthyMeasurement({ phases: late, slices: slowAtTheEnd(10), machine: [] }), 'step-latency').slice(0, 2)).toEqual([
      'excused',
      'step part 1: 40 of 40 (100.0 %) were too slow',
    ]);
    expect(words(healthyMeasurement({ phases: late, slices: slowAtTheEnd(600), machine: [] }), 'step-latency').slice(0, 2)).toEqual([
      'broken',
      'step part 0: 40 of 40 (100.0 %) were too slow',
    ]);
  });

  test('with one there is nothing to hold apart', () => {
    expect(judgeSteps(withPhase({}))).toEqual([]);
  });
});
