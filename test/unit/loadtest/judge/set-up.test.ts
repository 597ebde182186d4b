import { expect, test } from 'vitest';
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
  expect(judgement.checks[0]?.witnesses).toEqual([witness]);
  expect(judgement.limitedBy).toBeNull();
});

test('one that did not answer proves nothing', () => {
  const judgement = ended({ says: 'http://shop does not answer', isAnswered: false });
  expect(judgement.verdict).toBe('INVALID');
  expect(judgement.reasons.join()).toMatch(/could not be prepared: http:\/\/shop does not answer/);
});

const withErrors = (failed: number) => judged(healthyMeasurement({ setUp: { ...setUp, failed, witnesses: [witness] } }));

test('errors that had to be asked again count: a few are told, too many are a FAIL', () => {
  expect(withErrors(2)).toMatchObject({ verdict: 'PASS', reasons: [] });
  expect(withErrors(20).verdict).toBe('FAIL');
  expect(withErrors(20).reasons).toEqual([expect.stringMatching(/20 of 400 requests failed and had to be sent again/)]);
});
