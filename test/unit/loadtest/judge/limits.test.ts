import { describe, expect, test } from 'vitest';
import type { FailureKind, Measurement } from '#loadtest/measurement/measurement.ts';
import type { Witness } from '#loadtest/measurement/witness.ts';
import {
  checkOf,
  healthyMeasurement,
  judged,
  lateClient,
  many,
  quietSecond,
  slice,
  slowAnswer,
  withPhase,
  words,
} from '../build-measurement.ts';

describe('the limits of a whole run', () => {
  test('say what was found and what is allowed', () => {
    const healthy = healthyMeasurement();
    expect(words(healthy, 'latency-p95')).toEqual(['met', '10 ms', '< 200 ms', '']);
    expect(words(healthy, 'latency-p99')).toEqual(['met', '10 ms', '< 500 ms', '']);
    expect(words(healthy, 'error-rate')).toEqual(['met', '0.00 % (0 of 300)', '< 1.00 %', '']);
    expect(words(healthy, 'rate-limit')).toEqual(['met', '0', '0', '']);
    const slow = healthyMeasurement({ slices: [slice(1, many(100, 900))] });
    expect(words(slow, 'latency-p99')).toEqual(['broken', '900 ms', '< 500 ms', 'p99 is 900 ms, allowed is < 500 ms']);
  });

  test('are not checked without answers, which they say', () => {
    const silent = healthyMeasurement({ slices: [] });
    expect(words(silent, 'latency-p95')).toEqual(['not-checked', '–', '< 200 ms', 'no request was answered']);
    expect(words(silent, 'error-rate')).toEqual(['not-checked', '–', '< 1.00 %', 'no request came to an end']);
  });

  test('of latency are not checked where users never pause, which they say', () => {
    const saturating = withPhase({ load: { kind: 'saturating', users: 9 } }, { slices: [slice(1, many(100, 900))] });
    const reason = 'measured 900 ms, but users who never pause make the latency themselves';
    expect(words(saturating, 'latency-p95')).toEqual(['not-checked', '–', '', reason]);
  });

  test('of latency hold for the phase in which users pause, though in another they never do', () => {
    const { phases } = withPhase({ durationMs: 4_000 });
    const never = phases.map((phase) => ({ ...phase, startSecond: 10, load: { kind: 'saturating', users: 9 } as const }));
    const mixed = (pausing: number, others: number): Measurement =>
      healthyMeasurement({ phases: [...phases, ...never], slices: [slice(2, many(100, pausing)), slice(12, many(900, others))] });
    expect(checkOf(mixed(10, 900), 'latency-p95')?.measured).toBe('10 ms');
    expect(judged(mixed(10, 900)).verdict).toBe('PASS');
    expect(judged(mixed(900, 10)).verdict).toBe('FAIL');
  });

  test('of latency say of requests that ran out of time that they took at least as long, the shortest timeout of the phases', () => {
    const { phases } = withPhase({ timeoutMs: 15_000 });
    const both = [...phases, ...phases.map((phase) => ({ ...phase, startSecond: 10, timeoutMs: 3_000 }))];
    const timedOut = (ms: number): Measurement => healthyMeasurement({ phases: both, slices: [slice(1, many(100, ms))] });
    expect(checkOf(timedOut(3_000), 'latency-p95')?.measured).toBe('≥ 3 s');
    expect(checkOf(timedOut(2_900), 'latency-p95')?.measured).toBe('2.9 s');
  });

  test('of latency show the three slowest answers, slowest first, none that was slow on purpose', () => {
    const slowest = [slowAnswer(1, 'a', 700), slowAnswer(1, 'b', 900), slowAnswer(1, 'on purpose', 5_000), slowAnswer(2, 'a', 800)];
    const slow = withPhase(
      { slowest: [...slowest, slowAnswer(2, 'b', 600)] },
      { slices: [slice(1, many(100, 900))], disturbed: ['on purpose'] },
    );
    expect(checkOf(slow, 'latency-p95')?.witnesses?.map(({ latencyMs }) => latencyMs)).toEqual([900, 800, 700]);
    expect(checkOf(healthyMeasurement(), 'latency-p95')?.witnesses).toBeUndefined();
  });
});

/** Of a hundred answers twenty are slow in a second in which the client was late, `certain` at another time. */
const partly = (certain: number): Measurement =>
  withPhase(
    { durationMs: 9_000, ...lateClient(800, 1) },
    { slices: [slice(1, many(20, 900)), slice(6, [...many(certain, 900), ...many(80 - certain, 10)])] },
  );

/** A thousand requests while the client was so late; the limit is ten. */
const failing = (lateMs: number, counts: Parameters<typeof slice>[2]): Measurement =>
  withPhase(lateClient(lateMs, 1), { machine: [], slices: [slice(1, many(1_000 - 20, 5), counts)] });

describe('a miss is excused', () => {
  test.each([
    { id: 'latency-p95', certain: 5, outcome: 'excused' },
    { id: 'latency-p95', certain: 6, outcome: 'broken' },
    { id: 'latency-p99', certain: 1, outcome: 'excused' },
    { id: 'latency-p99', certain: 2, outcome: 'broken' },
  ])('when what nothing excuses would have been met alone: $id of 100 answers with $certain certainly slow is $outcome', (one) => {
    expect(checkOf(partly(one.certain), one.id)?.outcome).toBe(one.outcome);
  });

  test('in words that leave it open', () => {
    const reason = 'client and machine were themselves so late that they may have made this: p95 is 900 ms';
    expect(words(partly(0), 'latency-p95')).toEqual(['excused', 'p95 is 900 ms', '< 200 ms', reason]);
  });

  test.each([
    // As long as the timeout minus the limit for 99 %.
    { lateMs: 14_499, counts: { timeouts: 20 }, outcome: 'broken' },
    { lateMs: 14_500, counts: { timeouts: 20 }, outcome: 'excused' },
    // As long as a server keeps a connection that is not used.
    { lateMs: 4_999, counts: { connectionErrors: 20 }, outcome: 'broken' },
    { lateMs: 5_000, counts: { connectionErrors: 20 }, outcome: 'excused' },
    { lateMs: 20_000, counts: { timeouts: 11, httpErrors: 9 }, outcome: 'excused' },
    { lateMs: 20_000, counts: { timeouts: 10, httpErrors: 10 }, outcome: 'broken' },
    { lateMs: 20_000, counts: { timeouts: 10, wrongAnswers: 10 }, outcome: 'broken' },
    { lateMs: 20_000, counts: { httpErrors: 20 }, outcome: 'broken' },
  ])(
    'as errors only as far as lateness explains them: $counts of a client late by $lateMs ms is $outcome',
    ({ lateMs, counts, outcome }) => {
      expect(checkOf(failing(lateMs, counts), 'error-rate')?.outcome).toBe(outcome);
    },
  );
});

const failure = (changes: Partial<FailureKind>): FailureKind => ({
  endpoint: 'POST /orders',
  outcome: 'http-error',
  status: 500,
  fault: 'internal',
  count: 1,
  witnesses: [],
  ...changes,
});

const seen = (requestId: string): Witness => ({ says: '', about: {}, requestId });

describe('a reason for errors names the most frequent', () => {
  test.each([
    [[], 'for reasons that were not kept'],
    [[failure({}), failure({ count: 2, status: 503, fault: 'busy' })], '503 at POST /orders: busy'],
    [[failure({ outcome: 'timeout', status: null, fault: 'no answer in time' })], 'timeout at POST /orders: no answer in time'],
  ])('of %j: %s', (failures, says) => {
    const measurement = withPhase({ failures }, { slices: [slice(1, many(90, 10), { httpErrors: 10 })] });
    expect(checkOf(measurement, 'error-rate')?.reason).toBe(
      `10.0 % (10 of 100) of the requests failed, allowed is < 1.00 %; most often ${says}`,
    );
  });

  test('and shows three witnesses, of the most frequent first', () => {
    const failures = [failure({ witnesses: ['a', 'b'].map(seen) }), failure({ count: 2, fault: 'busy', witnesses: ['c', 'd'].map(seen) })];
    const measurement = withPhase({ failures }, { slices: [slice(1, many(90, 10), { httpErrors: 10 })] });
    expect(checkOf(measurement, 'error-rate')?.witnesses?.map(({ requestId }) => requestId)).toEqual(['c', 'd', 'a']);
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

describe('what a failure was limited by', () => {
  test('is said of slowness, and of nothing else', () => {
    expect(judged(healthyMeasurement({ slices: [slice(1, many(100, 900))] })).limitedBy).not.toBeNull();
    expect(judged(healthyMeasurement({ slices: [slice(1, many(90, 10), { httpErrors: 10 })] })).limitedBy).toBeNull();
    expect(judged(healthyMeasurement({ slices: [slice(1, many(99, 10), { wrongAnswers: 1 })] })).limitedBy).toBeNull();
  });
});
