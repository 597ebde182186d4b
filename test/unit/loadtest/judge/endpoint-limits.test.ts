import { describe, expect, test } from 'vitest';
import type { FailureKind, Measurement, Slice } from '#loadtest/measurement/measurement.ts';
import {
  checkOf,
  healthyMeasurement,
  judged,
  lateClient,
  many,
  orderSlice,
  quietSecond,
  run,
  slice,
  slowAnswer,
  withPhase,
  words,
} from '../build-measurement.ts';

describe('each endpoint by itself', () => {
  test('one in twenty orders failing is a FAIL, named with endpoint and witness, though it is one in three hundred requests', () => {
    const witnesses = [{ says: 'internal', about: { key: 'lt-1-2' }, endpoint: 'POST /orders', requestId: 'r-1' }];
    const failures = [{ endpoint: 'POST /orders', outcome: 'http-error', status: 500, fault: 'internal', count: 15, witnesses }] as const;
    const slices = Array.from({ length: 30 }, (_, i) => [
      slice(i, many(150, 10)),
      orderSlice(i, many(10, 20), i % 2 === 0 ? { httpErrors: 1 } : {}),
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
    const slices = Array.from({ length: 16 }, (_, i) => [slice(i, many(200, 10)), orderSlice(i, [3_020])]).flat();
    const judgement = judged(withPhase({ durationMs: 15_000, slowest }, { slices }));
    expect(judgement.verdict).toBe('FAIL');
    expect(judgement.reasons).toEqual([expect.stringMatching(/^POST \/orders: 15 of 15 answers took over 500 ms/)]);
    expect(judgement.checks.find(({ id }) => id === 'endpoint-latency')?.witnesses).toEqual([slowest[0]]);
  });

  test('a few slow answers of an endpoint that is seldom asked prove nothing', () => {
    const few = run(16, (i) => [slice(i, many(200, 10)), orderSlice(i, i === 7 ? [900, 20] : [20])]);
    expect(judged(few).verdict).toBe('PASS');
    const oneMoment = run(16, (i) => [slice(i, many(200, 10)), orderSlice(i, i === 7 ? many(12, 900) : many(6, 20))]);
    expect(checkOf(oneMoment, 'endpoint-latency')?.outcome).toBe('met');
  });

  test('one error in a few requests is chance', () => {
    expect(judged(run(16, (i) => [slice(i, many(200, 10)), orderSlice(i, [20], i === 7 ? { httpErrors: 1 } : {})])).verdict).toBe('PASS');
  });

  test('is excused where the client was that late whenever it was slow', () => {
    const late = [0, 1, 2, 3].map((k) => 4 * k + 2);
    const slices = Array.from({ length: 16 }, (_, i) => [
      slice(i, many(200, 10)),
      orderSlice(i, late.includes(i) ? many(5, 900) : many(5, 20)),
    ]).flat();
    const machine = late.map((second) => quietSecond(second, { idleAnswerMs: 870 }));
    expect(checkOf(withPhase({ durationMs: 15_000 }, { slices }), 'endpoint-latency')?.outcome).toBe('broken');
    expect(checkOf(withPhase({ durationMs: 15_000 }, { slices, machine }), 'endpoint-latency')?.outcome).toBe('excused');
  });
});

test('an endpoint of which every answer is too slow is not excused because a machine may have made the slowest', () => {
  const slices = Array.from({ length: 16 }, (_, i) => [slice(i, many(200, 10)), orderSlice(i, many(5, 900))]).flat();
  const machine = Array.from({ length: 16 }, (_, second) => quietSecond(second, { idleAnswerMs: 600 }));
  const check = checkOf(withPhase({ durationMs: 15_000 }, { slices, machine }), 'endpoint-latency');
  expect(check).toMatchObject({
    outcome: 'broken',
    reason: expect.stringMatching(/POST \/orders: \d+ of \d+ answers took over 200 ms/) as string,
  });
});

/** What is said of these slices, whose every second is measured. */
const wordsOf = (slices: readonly Slice[], id: string, more: Partial<Measurement> = {}): (string | undefined)[] => {
  const { phases } = withPhase({ warmUpMs: 0, durationMs: 60_000 });
  return words(healthyMeasurement({ phases, slices, machine: [], ...more }), id);
};
/** So many slow answers in each second. */
const slowSeconds = (...counts: readonly number[]): Slice[] => counts.map((count, i) => orderSlice(i, many(count, 900)));
const latencyLimit = '95 % < 200 ms, 99 % < 500 ms';

describe('an endpoint is judged for latency', () => {
  test.each([
    { counts: [3, 3, 3], outcome: 'met', why: 'nine answers are too few to tell' },
    { counts: [4, 3, 3], outcome: 'broken', why: 'ten are enough' },
    { counts: [0, 20, 20], outcome: 'met', why: 'two seconds are one moment' },
    { counts: [2, 20, 20], outcome: 'broken', why: 'three seconds are more' },
  ])('$outcome with $counts slow answers a second: $why', ({ counts, outcome }) => {
    expect(wordsOf(slowSeconds(...counts), 'endpoint-latency')[0]).toBe(outcome);
  });

  // One run in ten thousand of an endpoint that keeps the limit has 8 of 30 over the limit for 95 %, 5 of 30 over that for 99 %.
  test.each([
    { slow: 7, ms: 300, outcome: 'met' },
    { slow: 8, ms: 300, outcome: 'broken' },
    { slow: 4, ms: 900, outcome: 'met' },
    { slow: 5, ms: 900, outcome: 'broken' },
  ])('$outcome when $slow of 30 answers take $ms ms: no sooner than chance is most unlikely', ({ slow, ms, outcome }) => {
    const slices = Array.from({ length: 10 }, (_, i) => {
      const count = Math.floor(((i + 1) * slow) / 10) - Math.floor((i * slow) / 10);
      return orderSlice(i, [...many(count, ms), ...many(3 - count, 10)]);
    });
    expect(wordsOf(slices, 'endpoint-latency')[0]).toBe(outcome);
  });

  test('in words that name each that is too slow, with the limit it missed most surely', () => {
    const slices = [0, 1, 2].flatMap((second) => [slice(second, many(5, 300)), orderSlice(second, many(5, 900))]);
    const found = 'GET /products/:id: 15 of 15 answers took over 200 ms; POST /orders: 15 of 15 answers took over 500 ms';
    expect(wordsOf(slices, 'endpoint-latency')).toEqual(['broken', found, latencyLimit, `${found}; allowed is ${latencyLimit}`]);
  });

  test('and one that lateness excuses is not named beside one that nothing excuses', () => {
    const early = [0, 1, 2].map((second) => orderSlice(second, many(5, 900)));
    const later = [10, 11, 12].map((second) => slice(second, many(5, 900)));
    const { phases } = withPhase({ warmUpMs: 0, durationMs: 60_000, ...lateClient(800, 1) });
    const orders = 'POST /orders: 15 of 15 answers took over 500 ms';
    expect(wordsOf(early, 'endpoint-latency', { phases })).toEqual([
      'excused',
      orders,
      latencyLimit,
      `client and machine were themselves so late that they may have made this: ${orders}`,
    ]);
    const both = [...early, ...[0, 1, 2].map((second) => slice(second, many(5, 900)))];
    const products = 'GET /products/:id: 15 of 15 answers took over 500 ms';
    expect(wordsOf(both, 'endpoint-latency', { phases }).slice(0, 2)).toEqual(['excused', `${orders}; ${products}`]);
    expect(wordsOf([...early, ...later], 'endpoint-latency', { phases })[1]).toBe(products);
  });

  test('in no way where nothing was answered or users never pause, which it says', () => {
    expect(wordsOf([], 'endpoint-latency')).toEqual(['not-checked', '–', latencyLimit, 'no request was answered']);
    const { phases } = withPhase({ load: { kind: 'saturating', users: 9 } });
    const reason = 'users who never pause make the latency themselves';
    expect(
      wordsOf(
        [1, 2, 3].map((second) => slice(second, many(9, 900))),
        'endpoint-latency',
        { phases },
      ),
    ).toEqual(['not-checked', '–', latencyLimit, reason]);
  });

  test('met in so many of so many', () => {
    expect(wordsOf([slice(0, many(10, 10)), orderSlice(1, many(10, 10))], 'endpoint-latency')).toEqual(['met', '2 of 2', latencyLimit, '']);
  });
});

const kind = (endpoint: string, requestId: string): FailureKind => ({
  endpoint,
  outcome: 'http-error',
  status: 500,
  fault: 'internal',
  count: 10,
  witnesses: [{ says: '', about: {}, requestId }],
});

describe('an endpoint is judged for errors', () => {
  test.each([
    { bad: 1, all: 1, outcome: 'met' },
    { bad: 1, all: 5, outcome: 'met' },
    { bad: 2, all: 5, outcome: 'broken' },
    { bad: 2, all: 35, outcome: 'broken' },
    { bad: 2, all: 36, outcome: 'met' },
  ])('$outcome with $bad of $all: one is chance, and so is what one run in twenty would have at the limit', ({ bad, all, outcome }) => {
    expect(wordsOf([orderSlice(1, many(all - bad, 10), { httpErrors: bad })], 'endpoint-errors')[0]).toBe(outcome);
  });

  test('in words that name each, with its share', () => {
    const slices = [slice(1, many(90, 10), { httpErrors: 10 }), orderSlice(1, many(6, 10), { wrongAnswers: 2 })];
    const found = 'GET /products/:id: 10 of 100 requests failed (10.0 %); POST /orders: 2 of 8 requests failed (25.0 %)';
    expect(wordsOf(slices, 'endpoint-errors')).toEqual(['broken', found, '< 1.00 %', `${found}; allowed is < 1.00 %`]);
  });

  test('and excused when lateness explains enough of them', () => {
    const { phases } = withPhase({ warmUpMs: 0, durationMs: 60_000, ...lateClient(20_000, 1) });
    const outcome = (counts: Partial<Slice>) => wordsOf([orderSlice(1, many(30, 10), counts)], 'endpoint-errors', { phases })[0];
    expect(outcome({ timeouts: 9, httpErrors: 1 })).toBe('excused');
    expect(outcome({ timeouts: 9, httpErrors: 3 })).toBe('broken');
  });

  test('with witnesses of its own failures', () => {
    const measurement = withPhase(
      { failures: [kind('GET /products/:id', 'a'), kind('POST /orders', 'b')] },
      { slices: [slice(1, many(5_000, 10), { httpErrors: 10 }), orderSlice(1, many(90, 10), { httpErrors: 10 })] },
    );
    expect(checkOf(measurement, 'endpoint-errors')?.witnesses?.map(({ requestId }) => requestId)).toEqual(['b']);
  });
});

test('limits of an endpoint of its own hold there instead, looser or tighter, and nowhere else', () => {
  const slow = run(16, (i) => [slice(i, many(20, 10)), orderSlice(i, many(10, 300))]);
  const outcome = (own: object, id: string) =>
    checkOf({ ...slow, budget: { ...slow.budget, endpoints: { 'POST /orders': own } } }, id)?.outcome;
  expect(outcome({}, 'endpoint-latency')).toBe('broken');
  expect(outcome({ p95Ms: 400 }, 'endpoint-latency')).toBe('met');
  expect(outcome({ p95Ms: 400, p99Ms: 250 }, 'endpoint-latency')).toBe('broken');
  const failing = [slice(1, many(100, 10)), orderSlice(1, many(90, 10), { httpErrors: 10 })];
  const errors = (errorRate: number) => {
    const measurement = withPhase({}, { slices: failing });
    return checkOf({ ...measurement, budget: { ...measurement.budget, endpoints: { 'POST /orders': { errorRate } } } }, 'endpoint-errors');
  };
  expect(errors(0.2)?.outcome).toBe('met');
  expect(errors(0.02)?.measured).toBe('POST /orders: 10 of 100 requests failed (10.0 %, allowed here is < 2.00 %)');
});
