import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Slice } from '#loadtest/measurement/measurement.ts';
import { checkOf, judged, lateClient, many, quietSecond, run, slice, slowAnswer, withPhase, words } from '../build-measurement.ts';

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

/** Two hundred requests, so many of them slow; and so many failed. */
const slowOnes = (second: number, slow: number): Slice => slice(second, [...many(200 - slow, 10), ...many(slow, 900)]);
const failedOnes = (second: number, failed: number): Slice => slice(second, many(200 - failed, 10), { httpErrors: failed });

describe('the windows of a run', () => {
  test('are as many as begin in a second and end in the run, those of latency after warming up', () => {
    const healthy = run(20, (i) => [slowOnes(i, 0)]);
    expect(words(healthy, 'window-latency')).toEqual(['met', '15 of 15', '99 % < 500 ms', '']);
    expect(words(healthy, 'window-errors')).toEqual(['met', '16 of 16', '< 1.00 %', '']);
    // A run shorter than a window has one; what is answered after its end counts.
    const late = withPhase({ startSecond: 100 }, { slices: [slowOnes(101, 0), slowOnes(103, 0)] });
    expect(words(late, 'window-latency')[1]).toBe('1 of 1');
    expect(words({ ...late, slices: [...late.slices, slowOnes(106, 0)] }, 'window-latency')[1]).toBe('2 of 2');
  });

  test('are not looked at without answers, nor for latency where users never pause, which they say', () => {
    const silent = run(20, () => []);
    expect(words(silent, 'window-latency')).toEqual(['not-checked', '–', '99 % < 500 ms', 'no request was answered']);
    expect(words(silent, 'window-errors')).toEqual(['not-checked', '–', '< 1.00 %', 'no request was answered']);
    const saturating = withPhase({ load: { kind: 'saturating', users: 9 } }, { slices: [slowOnes(1, 200)] });
    const reason = 'users who never pause make the latency themselves';
    expect(words(saturating, 'window-latency')).toEqual(['not-checked', '–', '99 % < 500 ms', reason]);
  });

  test('in which nothing was asked do not hide the others', () => {
    const gap = run(30, (i) => (i > 4 && i < 20 ? [] : [slowOnes(i, i === 25 ? 100 : 0)]));
    expect(words(gap, 'window-latency')[0]).toBe('broken');
  });
});

const thirty = (bad: readonly number[]) => Array.from({ length: 30 }, (_, i) => slowOnes(i, bad.includes(i) ? 100 : 0));

describe('a window is bad', () => {
  // One window in a million at the limit has 29 of 1,000.
  test.each([
    { id: 'window-latency', of: slowOnes, bad: 28, outcome: 'met' },
    { id: 'window-latency', of: slowOnes, bad: 29, outcome: 'broken' },
    { id: 'window-errors', of: failedOnes, bad: 28, outcome: 'met' },
    { id: 'window-errors', of: failedOnes, bad: 29, outcome: 'broken' },
  ])('when chance would hardly make it so: $bad of 1,000 is $outcome for $id', ({ id, of, bad, outcome }) => {
    expect(
      words(
        run(20, (i) => [of(i, i === 10 ? bad : 0)]),
        id,
      )[0],
    ).toBe(outcome);
  });

  test.each([
    { bad: [10], says: 'in seconds 6–10, 100 of 1,000 (10.0 %)' },
    { bad: [10, 13], says: 'in seconds 9–13, 200 of 1,000 (20.0 %)' },
    // No window reaches past the end, where what is left of it would look worse.
    { bad: [19], says: 'in seconds 15–19, 100 of 1,000 (10.0 %)' },
    { bad: [2, 14, 15, 16], says: 'in seconds 12–16, 300 of 1,000 (30.0 %)' },
  ])('and named when it is the worst, the first of equals: of bad seconds $bad $says', ({ bad, says }) => {
    const latency = run(20, (i) => [slowOnes(i, bad.includes(i) ? 100 : 0)]);
    const slow = `${says} took over 500 ms`;
    expect(words(latency, 'window-latency')).toEqual(['broken', slow, '99 % < 500 ms', `${slow}; allowed is 99 % < 500 ms`]);
    const errors = run(20, (i) => [failedOnes(i, bad.includes(i) ? 100 : 0)]);
    expect(words(errors, 'window-errors')).toEqual(['broken', `${says} failed`, '< 1.00 %', `${says} failed; allowed is < 1.00 %`]);
  });

  test('over all endpoints together', () => {
    const both = run(20, (i) => [slowOnes(i, i === 10 ? 20 : 0), { ...slowOnes(i, i === 10 ? 40 : 0), endpoint: 'GET /x' }]);
    expect(words(both, 'window-latency')[1]).toBe('in seconds 6–10, 60 of 2,000 (3.00 %) took over 500 ms');
  });

  test('by what nothing excuses: where lateness explains the worst, another is named; where it explains all, none', () => {
    const late = { durationMs: 29_000, ...lateClient(800, 6) };
    const worst = 'in seconds 3–7, 200 of 1,000 (20.0 %) took over 500 ms';
    const reason = `client and machine were themselves so late that they may have made this: ${worst}`;
    expect(words(withPhase(late, { slices: thirty([6, 7]) }), 'window-latency')).toEqual(['excused', worst, '99 % < 500 ms', reason]);
    expect(words(withPhase(late, { slices: thirty([6, 7, 20]) }), 'window-latency')[1]).toBe(
      'in seconds 16–20, 100 of 1,000 (10.0 %) took over 500 ms',
    );
  });

  test('by no errors that lateness explains', () => {
    const slices = Array.from({ length: 20 }, (_, i) => slice(i, many(100, 10), i === 10 ? { timeouts: 100 } : {}));
    const says = 'in seconds 6–10, 100 of 600 (16.7 %) failed';
    expect(words(withPhase({ durationMs: 19_000 }, { slices }), 'window-errors').slice(0, 2)).toEqual(['broken', says]);
    const late = withPhase({ durationMs: 19_000, ...lateClient(20_000, 10) }, { slices });
    expect(words(late, 'window-errors').slice(0, 2)).toEqual(['excused', says]);
  });

  test('with the slowest answers of its own seconds, or with the failures of the run, to look up', () => {
    const slowest = [0, 1, 5, 6].map((second) => slowAnswer(second, 'GET /products/:id', 900 + second));
    const unknown = { says: '', about: {}, endpoint: 'GET /products/:id', latencyMs: 5_000 };
    const latency = run(20, (i) => [slowOnes(i, i === 3 ? 100 : 0)]);
    const phases = latency.phases.map((phase) => ({ ...phase, slowest: [...slowest, unknown] }));
    expect(checkOf({ ...latency, phases }, 'window-latency')?.witnesses?.map(({ second }) => second)).toEqual([5, 1]);

    const witnesses = [{ says: 'internal', about: {}, requestId: 'r-7' }];
    const failures = [{ endpoint: 'GET /x', outcome: 'http-error', status: 500, fault: 'internal', count: 100, witnesses }] as const;
    const errors = run(20, (i) => [failedOnes(i, i === 10 ? 100 : 0)]);
    const failing = { ...errors, phases: errors.phases.map((phase) => ({ ...phase, failures })) };
    expect(checkOf(failing, 'window-errors')?.witnesses).toEqual(witnesses);
  });
});
