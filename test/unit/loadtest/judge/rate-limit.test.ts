import { describe, expect, test } from 'vitest';
import type { FailureKind, Measurement } from '#loadtest/measurement/measurement.ts';
import { checkOf, healthyMeasurement, judged, many, slice, withPhase, words } from '../build-measurement.ts';

const early: FailureKind = {
  endpoint: 'GET /products',
  outcome: 'http-error',
  status: 429,
  fault: '429 within the quota "loadtest" of 1000 in 60 s',
  count: 2,
  witnesses: [{ says: '429 after at most 12 of 1000 requests', about: {}, requestId: 'r-9' }],
};

const limitedEarly = (effective: Measurement['target']['effective'], ...failures: readonly FailureKind[]): Measurement =>
  withPhase(
    { failures },
    { slices: [slice(1, many(998, 10), { httpErrors: 2 })], target: { origin: 'http://127.0.0.1:8000', kind: 'own', effective } },
  );

describe('429', () => {
  test('within the quota is a FAIL of the limiter, with its witness, and nothing was limited by anything', () => {
    const judgement = judged(limitedEarly(null, early));
    expect(judgement.verdict).toBe('FAIL');
    expect(judgement.checks.find(({ id }) => id === 'rate-limit')?.witnesses?.[0]?.requestId).toBe('r-9');
    expect(judgement.limitedBy).toBeNull();
  });

  const named = { RATE_LIMIT_LOADTEST_CALLS: 1_000, RATE_LIMIT_CALLS: 50, RATE_LIMIT_PERIOD: 60 };
  test.each([
    { effective: named, fault: early.fault, setting: ' (RATE_LIMIT_LOADTEST_CALLS=1000, RATE_LIMIT_PERIOD=60)' },
    {
      effective: { ...named, RATE_LIMIT_LOADTEST_CALLS: undefined },
      fault: early.fault,
      setting: ' (RATE_LIMIT_CALLS=50, RATE_LIMIT_PERIOD=60)',
    },
    { effective: named, fault: '429 without a policy', setting: ' (RATE_LIMIT_CALLS=50, RATE_LIMIT_PERIOD=60)' },
    { effective: {}, fault: early.fault, setting: '' },
    { effective: null, fault: early.fault, setting: '' },
  ])('of $fault under $effective is named with its setting:$setting', ({ effective, fault, setting }) => {
    expect(words(limitedEarly(effective, { ...early, fault }), 'rate-limit')).toEqual([
      'broken',
      '2',
      '0',
      `2 requests were answered 429 at GET /products: ${fault}${setting}: the limiter refuses what it grants`,
    ]);
  });

  test('counts all that were refused within the quota, and nothing else', () => {
    const others = [{ ...early, status: 500, fault: 'internal' }, { ...early, outcome: 'limited', fault: 'over the quota' } as const];
    expect(words(limitedEarly(null, ...others), 'rate-limit')).toEqual(['met', '0', '0', '']);
    expect(checkOf(limitedEarly(null, ...others, early, { ...early, endpoint: 'POST /orders', count: 3 }), 'rate-limit')?.measured).toBe(
      '5',
    );
    const once = checkOf(limitedEarly(null, ...others, { ...early, count: 1 }), 'rate-limit');
    expect(once?.reason).toMatch(/^1 request was answered 429 at GET \/products/);
  });

  test('over the quota measures the limiter, so the run proves nothing', () => {
    expect(judged(healthyMeasurement({ slices: [slice(1, many(99, 10), { limited: 1 })] })).verdict).toBe('INVALID');
  });
});
