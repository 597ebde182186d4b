import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atLeast } from '#loadtest/judge/binomial.ts';
import type { Check } from '#loadtest/judge/check.ts';
import type { Measurement, Slice } from '#loadtest/measurement/measurement.ts';
import type { Witness } from '#loadtest/measurement/witness.ts';
import { healthyMeasurement, judged, many, quietSecond, slice, withPhase } from '../build-measurement.ts';

const checkOf = (measurement: Measurement, id: string): Check | undefined => judged(measurement).checks.find((check) => check.id === id);

/** A run of so many seconds, each as `second` says. */
const run = (seconds: number, second: (index: number) => readonly Slice[], more: Partial<Measurement> = {}): Measurement =>
  withPhase({ durationMs: (seconds - 1) * 1_000 }, { slices: Array.from({ length: seconds }, (_, i) => second(i)).flat(), ...more });

const orders = (second: number, latencies: readonly number[], counts: Partial<Slice> = {}): Slice => ({
  ...slice(second, latencies, counts),
  endpoint: 'POST /orders',
});

const slowAnswer = (second: number, endpoint: string, latencyMs: number): Witness => ({
  says: '',
  about: { key: 'lt-1-2' },
  endpoint,
  second,
  latencyMs,
  requestId: 'r-1',
});

describe('each endpoint by itself', () => {
  test('one in twenty orders failing is a FAIL, named with endpoint and witness, though it is one in three hundred requests', () => {
    const witnesses = [{ says: 'internal', about: { key: 'lt-1-2' }, endpoint: 'POST /orders', requestId: 'r-1' }];
    const failures = [{ endpoint: 'POST /orders', outcome: 'http-error', status: 500, fault: 'internal', count: 15, witnesses }] as const;
    const slices = Array.from({ length: 30 }, (_, i) => [
      slice(i, many(150, 10)),
      orders(i, many(10, 20), i % 2 === 0 ? { httpErrors: 1 } : {}),
    ]).flat();
    const judgement = judged(withPhase({ durationMs: 29_000, failures }, { slices }));
    expect(judgement.verdict).toBe('FAIL');
    expect(judgement.checks.find(({ id }) => id === 'error-rate')?.outcome).toBe('met');
    expect(judgement.reasons.join()).toMatch(/POST \/orders: 15 of 315 requests failed/);
    expect(judgement.checks.find(({ id }) => id === 'endpoint-errors')?.witnesses).toEqual(witnesses);
    expect(judgement.limitedBy).toBeNull();
  });

  test('a single endpoint that takes three seconds more is a FAIL, though it is one answer in two hundred', () => {
    const slowest = [slowAnswer(4, 'POST /orders', 3_020), slowAnswer(5, 'GET /products/:id', 40)];
    const slices = Array.from({ length: 16 }, (_, i) => [slice(i, many(200, 10)), orders(i, [3_020])]).flat();
    const judgement = judged(withPhase({ durationMs: 15_000, slowest }, { slices }));
    expect(judgement.verdict).toBe('FAIL');
    expect(judgement.reasons).toEqual([expect.stringMatching(/^POST \/orders: 15 of 15 answers took over 500 ms/)]);
    expect(judgement.checks.find(({ id }) => id === 'endpoint-latency')?.witnesses).toEqual([slowest[0]]);
  });

  test('a few slow answers of an endpoint that is seldom asked prove nothing', () => {
    const few = run(16, (i) => [slice(i, many(200, 10)), orders(i, i === 7 ? [900, 20] : [20])]);
    expect(judged(few).verdict).toBe('PASS');
    const oneMoment = run(16, (i) => [slice(i, many(200, 10)), orders(i, i === 7 ? many(12, 900) : many(6, 20))]);
    expect(checkOf(oneMoment, 'endpoint-latency')?.outcome).toBe('met');
  });

  test('one error in a few requests is chance', () => {
    expect(judged(run(16, (i) => [slice(i, many(200, 10)), orders(i, [20], i === 7 ? { httpErrors: 1 } : {})])).verdict).toBe('PASS');
  });

  test('is excused where the client was that late whenever it was slow', () => {
    const late = [0, 1, 2, 3].map((k) => 4 * k + 2);
    const slices = Array.from({ length: 16 }, (_, i) => [
      slice(i, many(200, 10)),
      orders(i, late.includes(i) ? many(5, 900) : many(5, 20)),
    ]).flat();
    const machine = late.map((second) => quietSecond(second, { idleAnswerMs: 870 }));
    expect(checkOf(withPhase({ durationMs: 15_000 }, { slices }), 'endpoint-latency')?.outcome).toBe('broken');
    expect(checkOf(withPhase({ durationMs: 15_000 }, { slices, machine }), 'endpoint-latency')?.outcome).toBe('excused');
  });
});

test('an endpoint of which every answer is too slow is not excused because a machine may have made the slowest', () => {
  const slices = Array.from({ length: 16 }, (_, i) => [slice(i, many(200, 10)), orders(i, many(5, 900))]).flat();
  const machine = Array.from({ length: 16 }, (_, second) => quietSecond(second, { idleAnswerMs: 600 }));
  const check = checkOf(withPhase({ durationMs: 15_000 }, { slices, machine }), 'endpoint-latency');
  expect(check).toMatchObject({
    outcome: 'broken',
    reason: expect.stringMatching(/POST \/orders: \d+ of \d+ answers took over 200 ms/) as string,
  });
});

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

describe('wrong content', () => {
  test('is in no budget: one answer in a hundred thousand is a FAIL, with its witness', () => {
    const witnesses = [{ says: 'total is 9.99, expected 10.00', about: { order: 17 }, endpoint: 'POST /orders', received: '{"id_key":17' }];
    const failures = [
      { endpoint: 'POST /orders', outcome: 'wrong-answer', status: 201, fault: 'order-total', count: 1, witnesses },
    ] as const;
    const slices = [slice(1, many(100_000, 5), { wrongAnswers: 1 })];
    const judgement = judged(withPhase({ failures }, { slices }));
    expect(judgement.verdict).toBe('FAIL');
    expect(judgement.reasons).toEqual(['total is 9.99, expected 10.00']);
    expect(judgement.checks.find(({ kind, outcome }) => kind === 'content' && outcome === 'broken')?.witnesses).toEqual(witnesses);
  });

  test('is no fault of a client that lost a process, nor of a busy machine', () => {
    const failures = [
      { endpoint: 'POST /orders', outcome: 'wrong-answer', status: 201, fault: 'order-total', count: 1, witnesses: [] },
    ] as const;
    const slices = [slice(1, many(1_000, 5), { wrongAnswers: 1 })];
    const machine = [quietSecond(1, { cpu: { busy: 1, own: 0, target: 0.1, others: 0.9 }, idleAnswerMs: 900 })];
    expect(judged(withPhase({ lost: ['process 1 was ended'], failures }, { slices, machine })).verdict).toBe('FAIL');
  });
});

const limitedEarly = (effective: Measurement['target']['effective']): Measurement =>
  withPhase(
    {
      failures: [
        {
          endpoint: 'GET /products',
          outcome: 'http-error',
          status: 429,
          fault: '429 within the quota "loadtest" of 1000 in 60 s',
          count: 2,
          witnesses: [{ says: '429 after at most 12 of 1000 requests', about: {}, requestId: 'r-9' }],
        },
      ],
    },
    { slices: [slice(1, many(998, 10), { httpErrors: 2 })], target: { origin: 'http://127.0.0.1:8000', kind: 'own', effective } },
  );

describe('429', () => {
  test('within the quota is a FAIL of the limiter, named with the setting', () => {
    const judgement = judged(limitedEarly({ RATE_LIMIT_LOADTEST_CALLS: 1_000, RATE_LIMIT_PERIOD: 60 }));
    expect(judgement.verdict).toBe('FAIL');
    expect(judgement.reasons.join()).toMatch(
      /429 within the quota .*\(RATE_LIMIT_LOADTEST_CALLS=1000, RATE_LIMIT_PERIOD=60\): the limiter refuses what it grants/,
    );
    expect(judgement.checks.find(({ id }) => id === 'rate-limit')?.witnesses?.[0]?.requestId).toBe('r-9');
    expect(judgement.limitedBy).toBeNull();
  });

  test('without settings to name it is a FAIL all the same', () => {
    expect(judged(limitedEarly(null)).verdict).toBe('FAIL');
  });

  test('over the quota measures the limiter, so the run proves nothing', () => {
    expect(judged(healthyMeasurement({ slices: [slice(1, many(99, 10), { limited: 1 })] })).verdict).toBe('INVALID');
  });
});

describe('what a failure was limited by', () => {
  test('is said of slowness, and of nothing else', () => {
    expect(judged(healthyMeasurement({ slices: [slice(1, many(100, 900))] })).limitedBy).not.toBeNull();
    expect(judged(healthyMeasurement({ slices: [slice(1, many(90, 10), { httpErrors: 10 })] })).limitedBy).toBeNull();
    expect(judged(healthyMeasurement({ slices: [slice(1, many(99, 10), { wrongAnswers: 1 })] })).limitedBy).toBeNull();
  });
});

describe('the binomial tail', () => {
  test('is what counting every case gives', () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
    const exact = (bad: number, trials: number, share: number): number => {
      let sum = 0;
      for (let k = bad; k <= trials; k += 1) sum += choose(trials, k) * share ** k * (1 - share) ** (trials - k);
      return sum;
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(60), fc.double({ min: 0.001, max: 0.5, noNaN: true }), (trials, bad, share) => {
        fc.pre(bad <= trials && bad > trials * share);
        expect(atLeast(bad, trials, share) / exact(bad, trials, share)).toBeCloseTo(1, 6);
      }),
    );
  });

  test('is 1 where nothing is decided and 0 where it cannot be', () => {
    expect(atLeast(0, 10, 0.1)).toBe(1);
    expect(atLeast(1, 100, 0.01)).toBe(1);
    expect(atLeast(11, 10, 0.1)).toBe(0);
    expect(atLeast(1, 10, 0)).toBe(0);
  });

  test('holds for a million', () => {
    expect(atLeast(10_400, 1_000_000, 0.01)).toBeGreaterThan(1e-5);
    expect(atLeast(10_400, 1_000_000, 0.01)).toBeLessThan(1e-4);
  });
});
