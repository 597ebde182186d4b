import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkOf, judged, many, quietSecond, run, slice } from '../build-measurement.ts';

describe('every five seconds by themselves', () => {
  /** Ten minutes at 200 a second, in which one worker of four stands still for three seconds. */
  const frozen = run(600, (i) => [slice(i, i >= 300 && i < 303 ? [...many(150, 10), ...many(26, 2_400)] : many(200, 10))], {
    samples: [
      { second: 303, pool: null, backends: null, workers: [{ worker: '3', residentBytes: 1e8, loopDelayMs: 3_010, connectionsInUse: 0 }] },
    ],
  });

  test('one worker of four standing still for three seconds in ten minutes is a FAIL, named with the seconds and the worker', () => {
    const judgement = judged(frozen);
    expect(judgement.checks.find(({ id }) => id === 'latency-p99')?.outcome).toBe('met');
    expect(judgement.verdict).toBe('FAIL');
    expect(judgement.reasons).toEqual([expect.stringMatching(/^in seconds (298|299|300)–\d+, 78 of \d+ .* took over 500 ms/)]);
    expect(judgement.limitedBy).toMatch(/worker 3 stood still: its event loop was 3\.01 s late in second 303/);
  });

  test('the same is excused when an idle server on this machine stood still too', () => {
    const machine = [300, 301, 302].map((second) => quietSecond(second, { idleAnswerMs: 2_300 }));
    expect(judged({ ...frozen, machine }).verdict).toBe('INVALID');
  });

  test('two seconds of nothing but errors in ten minutes are a FAIL', () => {
    const judgement = judged(run(600, (i) => [i === 100 || i === 101 ? slice(i, [], { httpErrors: 200 }) : slice(i, many(200, 10))]));
    expect(judgement.checks.find(({ id }) => id === 'error-rate')?.outcome).toBe('met');
    expect(judgement.verdict).toBe('FAIL');
    expect(judgement.reasons.join()).toMatch(/in seconds \d+–\d+, 400 of 1,000 \(40\.0 %\) failed/);
  });

  test('what happened while warming up counts for errors and not for latency', () => {
    const slowStart = run(20, (i) => [slice(i, many(200, i === 0 ? 900 : 10))]);
    expect(judged(slowStart).verdict).toBe('PASS');
    const badStart = run(20, (i) => [i === 0 ? slice(i, [], { httpErrors: 30 }) : slice(i, many(200, 10))]);
    expect(checkOf(badStart, 'window-errors')?.outcome).toBe('broken');
  });

  test('a service that keeps every limit by half does not fail, wherever its slow answers fall', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(199), { minLength: 30, maxLength: 30 }), (picks) => {
        // One slow answer of 200 in every second, at another place of it: half of what is allowed.
        const measurement = run(30, (i) => [slice(i, many(200, 10).with(picks[i] ?? 0, 700))]);
        expect(judged(measurement).verdict).toBe('PASS');
      }),
      { numRuns: 8 },
    );
  });
});
