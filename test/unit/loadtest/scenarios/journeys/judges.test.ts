import { expect, test } from 'vitest';
import type { Check } from '#loadtest/judge/check.ts';
import { judge } from '#loadtest/judge/verdict.ts';
import type { Measurement } from '#loadtest/measurement/measurement.ts';
import { journeyJudges } from '#loadtest/scenarios/journeys/judges.ts';
import { budget, lateClient, many, orderSlice, slice, slowAnswer, withPhase } from '../../build-measurement.ts';

const played = { warmUpMs: 0, durationMs: 60_000 };

function checkOf(measurement: Measurement, id: string): Pick<Check, 'outcome' | 'measured' | 'witnesses'> | undefined {
  return judge(measurement, journeyJudges).checks.find((check) => check.id === id);
}

test('one wrong answer is a defect, named by what it broke; one that breaks HTTP is no whole answer', () => {
  const witnesses = [{ says: '/a is 1, not 2', about: {} }];
  const failure = { endpoint: 'GET /a', outcome: 'wrong-answer', status: 200, count: 1, witnesses } as const;
  const failures = [
    { ...failure, fault: 'answer-json /a' },
    { ...failure, fault: 'HPE_INVALID_CONSTANT' },
  ];
  const measurement = withPhase({ ...played, failures }, { slices: [slice(1, [10])] });
  expect(checkOf(measurement, 'answer-json')).toMatchObject({ outcome: 'broken', reason: 'GET /a: /a is 1, not 2', witnesses });
  expect(checkOf(measurement, 'answer-complete')?.outcome).toBe('broken');
  expect(checkOf(measurement, 'answer-status')?.outcome).toBe('met');
});

test('endpoints of which nothing but the status was expected are said to be not looked into', () => {
  const books = { statusOnly: ['GET /a', 'GET /b'] };
  expect(checkOf(withPhase(played, { slices: [slice(1, [10])], books }), 'answers-looked-into')).toMatchObject({
    outcome: 'not-checked',
    reason: 'nothing is expected of what is in GET /a, GET /b',
  });
});

test('one answer over the time its step allows is a miss, unless the client was as late; another endpoint may take longer', () => {
  const own = { ...budget, endpoints: { 'POST /orders': { longestMs: 300 } } };
  const slices = [slice(1, many(20, 10)), slice(2, [900]), orderSlice(1, many(20, 10)), orderSlice(2, [400])];
  const slowest = [slowAnswer(2, 'POST /orders', 400)];
  const measured = checkOf(withPhase({ ...played, slowest }, { slices, budget: own }), 'longest-answer');
  expect(measured).toMatchObject({ outcome: 'broken', measured: 'POST /orders: 1 answer took over 300 ms', witnesses: slowest });
  expect(checkOf(withPhase({ ...played, ...lateClient(500, 2) }, { slices, budget: own }), 'longest-answer')?.outcome).toBe('excused');
  expect(checkOf(withPhase(played, { slices: slices.slice(0, 3), budget: own }), 'longest-answer')?.outcome).toBe('met');
  expect(checkOf(withPhase(played, { slices }), 'longest-answer')).toBeUndefined();
});

test('an objective counts slow answers and errors against all requests but those the rate limit refused, and is missed just below it', () => {
  const slo = { share: 0.9, withinMs: 100 };
  const outcome = (good: number, bad: Partial<ReturnType<typeof slice>>, slow: number[] = []) =>
    checkOf(withPhase(played, { slices: [slice(1, [...many(good, 10), ...slow], bad)], budget: { ...budget, slo } }), 'objective');
  expect(outcome(90, { ok: 90, httpErrors: 10 })).toMatchObject({ outcome: 'met', measured: '90.0 % (90 of 100)' });
  expect(outcome(90, { ok: 90, httpErrors: 11 })?.outcome).toBe('broken');
  expect(outcome(90, { ok: 90, limited: 11 })).toMatchObject({ outcome: 'met', measured: '100.0 % (90 of 90)' });
  expect(outcome(90, {}, many(11, 150))?.outcome).toBe('broken');
  // A timeout stands in the latencies.
  expect(outcome(90, { ok: 90, timeouts: 10 }, many(10, 5_000))?.outcome).toBe('met');
});

test('and is excused when the lateness of the client explains the miss', () => {
  const own = { ...budget, slo: { share: 0.9, withinMs: 100 } };
  const slices = [slice(1, [...many(50, 10), ...many(50, 300)])];
  expect(checkOf(withPhase({ ...played, ...lateClient(400, 1) }, { slices, budget: own }), 'objective')?.outcome).toBe('excused');
  expect(checkOf(withPhase({ ...played, ...lateClient(100, 1) }, { slices, budget: own }), 'objective')?.outcome).toBe('broken');
});
