import { expect, test } from 'vitest';
import { judgeSetUp } from '#loadtest/judge/set-up.ts';
import type { SetUpFacts } from '#loadtest/measurement/measurement.ts';
import { healthyMeasurement, judged } from '../build-measurement.ts';

const witness = { says: 'answered 500 while the run was prepared', about: {}, endpoint: 'POST /api/v1/clients', requestId: 'r-1' };
const setUp: SetUpFacts = { requests: 400, failed: 0, witnesses: [], problem: null, disturbed: [] };

/** Nothing came after. */
const ended = (problem: SetUpFacts['problem']) =>
  judged(
    healthyMeasurement({
      setUp: { ...setUp, failed: 6, witnesses: [witness], problem },
      phases: [],
      slices: [],
      events: [],
      rest: null,
      books: null,
    }),
  );

test('a target that answered and could not be made ready has failed, with a witness', () => {
  const judgement = ended({ says: 'http://shop made no client: 500 internal', isAnswered: true });
  expect(judgement.verdict).toBe('FAIL');
  expect(judgement.reasons).toEqual(['the run could not be prepared: http://shop made no client: 500 internal']);
  expect(judgement.checks[0]).toMatchObject({ kind: 'limit', witnesses: [witness] });
  expect(judgement.limitedBy).toBeNull();
});

test('one that did not answer proves nothing', () => {
  const judgement = ended({ says: 'http://shop does not answer', isAnswered: false });
  expect(judgement.verdict).toBe('INVALID');
  expect(judgement.reasons.join()).toMatch(/could not be prepared: http:\/\/shop does not answer/);
});

const head = { id: 'set-up', kind: 'limit', title: 'The target could be made ready for the run', limit: 'errors < 1.00 %' } as const;

const withErrors = (failed: number, requests = 400) => healthyMeasurement({ setUp: { ...setUp, requests, failed, witnesses: [witness] } });

test('errors that had to be asked again count: a few are told, too many are a FAIL', () => {
  expect(judgeSetUp(withErrors(2))).toEqual([{ ...head, outcome: 'met', measured: '2 of 400 requests failed', reason: '' }]);
  expect(judgeSetUp(withErrors(20))).toEqual([
    {
      ...head,
      outcome: 'broken',
      measured: '20 of 400 requests failed',
      reason: 'while the run was prepared, 20 of 400 requests failed and had to be sent again',
      witnesses: [witness],
    },
  ]);
  expect([withErrors(2), withErrors(20)].map((measurement) => judged(measurement).verdict)).toEqual(['PASS', 'FAIL']);
});

test('of few requests one error is chance, two are not', () => {
  expect(judgeSetUp(withErrors(1, 3))).toMatchObject([{ outcome: 'met' }]);
  expect(judgeSetUp(withErrors(2, 3))).toMatchObject([{ outcome: 'broken' }]);
});

test('a run that was ended before it was prepared says so', () => {
  expect(judgeSetUp(healthyMeasurement({ setUp: null }))).toEqual([
    { ...head, outcome: 'not-checked', measured: '–', reason: 'the run was ended before it was prepared' },
  ]);
});
