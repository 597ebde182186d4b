import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Measurement } from '#loadtest/measurement/measurement.ts';
import { exitCodeOf, worstVerdict, type Verdict } from '#loadtest/judge/verdict.ts';
import {
  atRest,
  healthyMeasurement,
  histogramOf,
  judged,
  many,
  orders,
  rightBooks,
  quietSecond,
  slice,
  withClient,
  withPhase,
} from '../build-measurement.ts';
import { faults } from './faults.ts';

const brokenIds = (measurement: Measurement): string[] =>
  judged(measurement)
    .checks.filter(({ outcome }) => outcome === 'broken')
    .map(({ id }) => id);

test('a healthy run of an innocent client passes, without reasons', () => {
  const judgement = judged(healthyMeasurement({ rest: { ...atRest, requestsServed: 300 } }));
  expect(judgement).toMatchObject({ verdict: 'PASS', reasons: [], limitedBy: null });
  expect(judgement.checks.filter(({ outcome }) => outcome !== 'met').map(({ id }) => id)).toEqual([
    'memory-growth',
    'settings-effective',
    'pool-cap',
    'max-connections',
  ]);
});

test('the exit code tells the verdict', () => {
  expect(exitCodeOf).toEqual({ PASS: 0, FAIL: 99, INVALID: 75 });
});

test.each(faults)('$fault: $verdict, named $id', ({ measurement, verdict, id, says }) => {
  const judgement = judged(measurement);
  expect(judgement.verdict).toBe(verdict);
  expect(brokenIds(measurement)).toContain(id);
  expect(judgement.reasons.join('\n')).toMatch(says);
});

/** A client whose event loop stood still for so long in the second before the last answers. */
const late = (ms: number, more: Partial<Measurement> = {}): Measurement =>
  withPhase(
    { processVitals: [{ seconds: [{ second: 1, utilization: 0.95, cpu: 0.9, maxDelayMs: ms }], loopDelay: histogramOf(ms) }] },
    more,
  );

/** Answers that slow, on a machine that busy. */
const measured = (busy: number, others: number, answersMs: number): Measurement =>
  healthyMeasurement({
    slices: [slice(1, many(100, answersMs))],
    machine: [0, 1, 2].map((second) => quietSecond(second, { cpu: { busy, own: 0.1, target: busy - others - 0.1, others } })),
  });

describe('between a guilty client and a guilty server', () => {
  test('a hanging client and slow answers are INVALID, not FAIL: the client may have made them', () => {
    const judgement = judged(late(800, { slices: [slice(1, many(100, 900))] }));
    expect(judgement.verdict).toBe('INVALID');
    expect(judgement.reasons[0]).toMatch(/client itself was 800 ms late/);
    expect(judgement.reasons.join()).not.toMatch(/allowed is/);
    expect(judgement.limitedBy).toBeNull();
  });

  test('a slow client cannot make a service look faster: one that passes even so has passed, with a remark', () => {
    for (const measurement of [
      late(900),
      withClient({ calibration: { p99Ms: 90, requestsPerSecond: 200 } }),
      healthyMeasurement({ machine: [quietSecond(1, { cpu: { busy: 1, own: 0.1, target: 0.1, others: 0.8 } })] }),
      healthyMeasurement({ machine: [quietSecond(1, { idleAnswerMs: 70 })] }),
    ]) {
      const judgement = judged(measurement);
      expect(judgement).toMatchObject({ verdict: 'PASS', reasons: [] });
      expect(judgement.checks.filter(({ outcome }) => outcome === 'tolerated')).toHaveLength(1);
    }
  });

  const stalled = [...many(80, 10), ...many(20, 700)];
  const busy = [{ seconds: [{ second: 1, utilization: 0.95, cpu: 1, maxDelayMs: 0.5 }], loopDelay: histogramOf(0.1) }];
  const slow = { slices: [slice(1, many(100, 900))] };
  const failing = { slices: [slice(1, many(100, 10), { httpErrors: 900 })] };
  const timeouts = { slices: [slice(1, many(98, 10), { timeouts: 2 })] };
  const missing = orders({ key: 'k-2', order: 8 });

  test.each<[string, Verdict, Measurement]>([
    // Allowed are 200 ms for 95 % and 500 ms for 99 %; client 90 ms, idle server 1 ms.
    ['being late excuses by as many milliseconds as it was late', 'INVALID', late(90, { slices: [slice(1, many(100, 285))] })],
    ['being late excuses no more', 'FAIL', late(90, { slices: [slice(1, many(100, 310))] })],
    ['being late excuses what ended then', 'INVALID', late(800, { slices: [slice(2, stalled)] })],
    ['being late excuses nothing that ended at another time', 'FAIL', late(800, { slices: [slice(5, stalled)] })],
    ['a busy client that answers its timers in time explains no errors', 'FAIL', withPhase({ processVitals: busy }, failing)],
    ['a busy client that answers its timers in time explains no slow answers', 'FAIL', withPhase({ processVitals: busy }, slow)],
    // 60 % of an exhausted machine: answers take at most two and a half times as long.
    ['CPU that others use excuses as much as was missing for it', 'INVALID', measured(0.98, 0.6, 450)],
    ['CPU that others use excuses no more', 'FAIL', measured(0.98, 0.6, 550)],
    ['CPU that others use excuses nothing while the machine had some left', 'FAIL', measured(0.85, 0.6, 250)],
    ['an error is no fault of a slow client', 'FAIL', late(20_000, { slices: [slice(1, many(90, 10), { httpErrors: 10 })] })],
    ['a wrong answer is no fault of a slow client', 'FAIL', late(20_000, { slices: [slice(1, many(99, 10), { wrongAnswers: 1 })] })],
    ['a request that ran out of time may be the fault of a client that late', 'INVALID', late(20_000, timeouts)],
    ['a request that ran out of time is not the fault of a client less late', 'FAIL', late(3_000, timeouts)],
    [
      'a client that sent less than asked for proves nothing, however fast the answers',
      'INVALID',
      withPhase({ sendLag: histogramOf(900) }),
    ],
    ['a client that lost a process proves nothing', 'INVALID', withPhase({ lost: ['process 1 was ended'] })],
    ['a service that fails under less load than was asked for has failed', 'FAIL', withPhase({ sendLag: histogramOf(900) }, slow)],
    ['a defect in the books is one though the client was slow', 'FAIL', withPhase({ sendLag: histogramOf(900) }, missing)],
    ['a defect in the books is none when the client lost its own', 'INVALID', withPhase({ lost: ['process 1 was ended'] }, missing)],
  ])('%s: %s', (_what, verdict, measurement) => {
    expect(judged(measurement).verdict).toBe(verdict);
  });
});

test('what could not be read is shown as not checked, with the reason, and decides nothing', () => {
  const notes = ['no access to the database'];
  const books = { ...rightBooks, stored: null, notes };
  const rest = { ...atRest, connectionsInUse: null, openTransactions: null, notes };
  const { verdict, checks } = judged(healthyMeasurement({ books, rest }));
  expect(verdict).toBe('PASS');
  expect(checks.filter(({ outcome }) => outcome === 'not-checked').map(({ reason }) => reason)).toEqual(
    expect.arrayContaining(['no access to the database', 'the count could not be read, or others use the service too']),
  );
});

test('an endpoint that is slow on purpose is not judged for its own latency, but its errors count', () => {
  const disturbance = { ...slice(1, many(50, 1_000)), endpoint: 'POST /orders (slow query)' };
  const slices = [slice(1, many(100, 10)), disturbance];
  const disturbed = ['POST /orders (slow query)'];
  expect(judged(healthyMeasurement({ slices, disturbed })).verdict).toBe('PASS');
  expect(judged(healthyMeasurement({ slices })).verdict).toBe('FAIL');
  const failing = { ...slice(1, [], { httpErrors: 50 }), endpoint: 'POST /orders (slow query)' };
  expect(judged(healthyMeasurement({ slices: [slice(1, many(100, 10)), failing], disturbed })).verdict).toBe('FAIL');
});

test('users who never pause are judged for errors and books, not for the latency they make themselves', () => {
  const client = { ...healthyMeasurement().client, calibration: { p99Ms: 90, requestsPerSecond: 5_000 } };
  const saturating = (slices: Measurement['slices']) => withPhase({ load: { kind: 'saturating', users: 400 } }, { client, slices });
  expect(judged(saturating([slice(1, many(100, 900))])).verdict).toBe('PASS');
  expect(judged(saturating([slice(1, many(90, 900), { httpErrors: 10 })])).verdict).toBe('FAIL');
});

test('several runs pass together only when each does', () => {
  expect(worstVerdict(['PASS', 'PASS'])).toBe('PASS');
  expect(worstVerdict(['PASS', 'INVALID'])).toBe('INVALID');
  expect(worstVerdict(['INVALID', 'FAIL'])).toBe('FAIL');
  expect(worstVerdict([])).toBe('INVALID');
});

test('slow answers while warming up are not judged; those that came after the last request was sent are', () => {
  const slow = many(100, 900);
  const fast = many(100, 10);
  expect(judged(healthyMeasurement({ slices: [slice(0, slow), slice(1, fast)] })).verdict).toBe('PASS');
  expect(judged(healthyMeasurement({ slices: [slice(1, fast), slice(9, slow)] })).verdict).toBe('FAIL');
});

test('a limit is exclusive', () => {
  expect(brokenIds(healthyMeasurement({ slices: [slice(1, many(100, 200.2))] }))).toContain('latency-p95');
  expect(brokenIds(healthyMeasurement({ slices: [slice(1, many(100, 199))] }))).toEqual([]);
  expect(brokenIds(healthyMeasurement({ slices: [slice(1, many(99, 10), { httpErrors: 1 })] }))).toEqual(['error-rate']);
});

test('a verdict can be recomputed from the measurement as written to a file', () => {
  for (const { measurement } of faults) {
    const again = JSON.parse(JSON.stringify(measurement)) as Measurement;
    expect(judged(again)).toEqual(judged(measurement));
  }
});

test('whatever the counts, PASS is never given to a run with an error rate at or over the limit, 429s, or a broken book', () => {
  const count = fc.integer({ min: 0, max: 200 });
  fc.assert(
    fc.property(
      fc.record({ ok: count, httpErrors: count, timeouts: count, limited: count, stored: fc.integer({ min: 5, max: 15 }) }),
      ({ ok, httpErrors, timeouts, limited, stored }) => {
        const measurement = healthyMeasurement({
          slices: [slice(1, many(ok, 5), { httpErrors, timeouts, limited })],
          ...(stored === 10 ? {} : orders({ key: 'k-2', order: 8 })),
        });
        const { verdict } = judged(measurement);
        const settled = ok + httpErrors + timeouts + limited;
        const isClean = settled > 0 && (httpErrors + timeouts) / settled < 0.01 && limited === 0 && stored === 10;
        expect(verdict === 'PASS').toBe(isClean);
        expect(verdict === 'FAIL' || stored === 10 || settled === 0).toBe(true);
      },
    ),
  );
});
