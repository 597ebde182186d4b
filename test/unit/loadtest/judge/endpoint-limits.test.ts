import { describe, expect, test } from 'vitest';
import { checkOf, judged, many, orderSlice, quietSecond, run, slice, slowAnswer, withPhase } from '../build-measurement.ts';

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
