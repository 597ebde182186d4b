import { expect, test } from 'vitest';
import { broken, excused, met, notChecked, type Check, type CheckHead } from '#loadtest/judge/check.ts';
import { judge, type Judgement } from '#loadtest/judge/verdict.ts';
import { healthyMeasurement } from '../build-measurement.ts';

const kinds = ['limit', 'content', 'invariant', 'innocence'] as const;
const head = (kind: Check['kind'], id: string, more: Partial<CheckHead> = {}): CheckHead => ({ id, kind, title: '', ...more });
const decided = (...checks: readonly Check[]): Judgement => judge(healthyMeasurement(), [() => checks]);
const bad = (kind: Check['kind'], id: string, more: Partial<CheckHead> = {}): Check => broken(head(kind, id, more), '', '', `${id} is bad`);
const doubtful = excused(head('limit', 'p95'), 'p95 is 300 ms', '< 200 ms');
const doubt = 'client and machine were themselves so late that they may have made this: p95 is 300 ms';

test('a miss that nothing excuses is a FAIL, and the only reason, whoever else was at fault', () => {
  for (const kind of ['limit', 'content', 'invariant'] as const) {
    const judgement = decided(bad('innocence', 'lag'), doubtful, bad(kind, 'miss'));
    expect(judgement).toMatchObject({ verdict: 'FAIL', reasons: ['miss is bad'], limitedBy: null });
  }
});

test('what was excused makes a run prove nothing, and so does each fault of the client that is more than slowness', () => {
  expect(decided(doubtful)).toMatchObject({ verdict: 'INVALID', reasons: [doubt] });
  expect(decided(bad('innocence', 'lag'))).toMatchObject({ verdict: 'INVALID', reasons: ['lag is bad'] });
});

test('of a run that proves nothing the faults of client and machine come first, else the order is kept', () => {
  const slow = { onlySlows: true } as const;
  const judgement = decided(doubtful, bad('innocence', 'lag'), { ...doubtful, reason: 'too' }, bad('innocence', 'delay', slow), doubtful);
  expect(judgement.reasons).toEqual(['lag is bad', 'delay is bad', doubt, 'too', doubt]);
  expect(decided(bad('innocence', 'lag'), doubtful).reasons).toEqual(['lag is bad', doubt]);
});

test('slowness of client and machine is tolerated where nothing was excused for it, and nothing else is', () => {
  const slow = bad('innocence', 'delay', { onlySlows: true });
  expect(decided(slow)).toMatchObject({ verdict: 'PASS', reasons: [], checks: [{ outcome: 'tolerated' }] });
  expect(decided(slow, doubtful)).toMatchObject({ verdict: 'INVALID', checks: [{ outcome: 'broken' }, { outcome: 'excused' }] });
  expect(decided(slow, bad('innocence', 'lag'))).toMatchObject({ verdict: 'INVALID', reasons: ['lag is bad'] });
});

test.each(['generator-complete', 'conservation'])('books count for nothing when the client lost its own: %s', (id) => {
  const invariant = bad('invariant', 'orders-kept');
  const lost = `the client lost its own count: ${invariant.reason}`;
  expect(decided(invariant, met(head('invariant', 'no-oversell'), '0', '0'), bad('innocence', id))).toMatchObject({
    verdict: 'INVALID',
    reasons: [`${id} is bad`, lost],
    checks: [{ ...invariant, outcome: 'excused', reason: lost }, { outcome: 'met', reason: '' }, { outcome: 'broken' }],
  });
  expect(decided(invariant, met(head('innocence', id), '', '')).verdict).toBe('FAIL');
  expect(decided(bad('limit', 'p95'), bad('content', 'total'), bad('innocence', id)).reasons).toEqual(['p95 is bad', 'total is bad']);
});

test('nothing that is met or could not be checked changes a verdict', () => {
  const silent = kinds.flatMap((kind) => [met(head(kind, 'conservation'), '1', '1'), notChecked(head(kind, 'conservation'), 'no access')]);
  expect(silent[1]).toMatchObject({ outcome: 'not-checked', measured: '–', limit: '' });
  expect(decided(...silent)).toMatchObject({ verdict: 'PASS', reasons: [], checks: silent });
  expect(decided()).toMatchObject({ verdict: 'PASS', reasons: [] });
  for (const check of [doubtful, ...kinds.map((kind) => bad(kind, 'one'))]) {
    const alone = decided(check);
    expect(decided(...silent, check)).toMatchObject({ verdict: alone.verdict, reasons: alone.reasons });
  }
});

test('what the service was short of is asked when a speed was missed, and only then', () => {
  expect(decided(bad('limit', 'p95', { isSpeed: true })).limitedBy).not.toBeNull();
  expect(decided(bad('limit', 'error-rate')).limitedBy).toBeNull();
  expect(decided({ ...doubtful, isSpeed: true }).limitedBy).toBeNull();
  expect(decided(bad('limit', 'error-rate'), met(head('limit', 'p95', { isSpeed: true }), '', '')).limitedBy).toBeNull();
});
