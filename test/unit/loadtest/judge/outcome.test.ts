import { expect, test } from 'vitest';
import { countOutcomes, verdictOf, type Outcome } from '#loadtest/judge/outcome.ts';

const verdicts: readonly (readonly [readonly Outcome[], string])[] = [
  [[], 'PASS'],
  [['PASS', 'NOT SUPPORTED', 'NOT CHECKED'], 'PASS'],
  [['PASS', 'INVALID', 'NOT CHECKED'], 'INVALID'],
  [['INVALID', 'FAIL', 'PASS'], 'FAIL'],
  [['FAIL'], 'FAIL'],
];

test.each(verdicts)('of %j it is %s', (found, verdict) => {
  expect(verdictOf(found)).toBe(verdict);
});

test('outcomes are counted in one order, without those there were none of', () => {
  expect(countOutcomes(['NOT CHECKED', 'INVALID', 'PASS', 'FAIL', 'PASS', 'NOT SUPPORTED'])).toBe(
    '2 PASS, 1 FAIL, 1 INVALID, 1 NOT SUPPORTED, 1 NOT CHECKED',
  );
  expect(countOutcomes(['PASS', 'NOT CHECKED', 'PASS'])).toBe('2 PASS, 1 NOT CHECKED');
  expect(countOutcomes([])).toBe('');
});
