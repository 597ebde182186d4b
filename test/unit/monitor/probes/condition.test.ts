import { describe, expect, test } from 'vitest';
import { parseCondition, violationOf } from '#monitor/probes/condition.ts';
import { judgeResponse } from '#monitor/probes/http.ts';

const observed = {
  status: 503,
  responseTimeMs: 412.34,
  certificateDays: 12.3,
  headers: { 'content-type': 'application/json', 'retry-after': '30' },
  body: { status: 'critical', checks: { 'db-pool': { size: 10, full: true } }, items: [{ id: 1 }, { id: 7 }], note: null },
};

describe('a condition', () => {
  test.each([
    ['[STATUS] == 503'],
    ['[STATUS] >= 500'],
    ['[STATUS] < 504'],
    ['[RESPONSE_TIME] < 500'],
    ['[BODY].status == critical'],
    ['[BODY].status == "critical"'],
    ['[BODY].status != healthy'],
    ['[BODY].checks.db-pool.size > 9'],
    ['[BODY].checks.db-pool.full == true'],
    ['[BODY].items[1].id <= 7'],
    ['[BODY].note == null'],
    ['  [STATUS]==503 '],
    ['[CERTIFICATE_DAYS] > 12'],
    ['[HEADER].Content-Type == application/json'],
    ['[HEADER].retry-after <= 30'],
  ])('%s holds', (text) => {
    expect(violationOf(parseCondition(text), observed)).toBeUndefined();
  });

  test.each([
    ['[STATUS] == 200', '[STATUS] == 200: it is 503'],
    ['[RESPONSE_TIME] <= 400', '[RESPONSE_TIME] <= 400: it is 412.3'],
    ['[BODY].status != critical', '[BODY].status != critical: it is "critical"'],
    ['[BODY].checks.db-pool.full > 3', '[BODY].checks.db-pool.full > 3: it is true'],
    ['[BODY].checks.redis.status != critical', '[BODY].checks.redis.status != critical: there is no such value'],
    ['[BODY].items[2].id == 1', '[BODY].items[2].id == 1: there is no such value'],
    ['[BODY].constructor.name != x', '[BODY].constructor.name != x: there is no such value'],
    ['[CERTIFICATE_DAYS] > 14', '[CERTIFICATE_DAYS] > 14: it is 12.3'],
    ['[HEADER].content-type != application/json', '[HEADER].content-type != application/json: it is "application/json"'],
    ['[HEADER].server != nginx', '[HEADER].server != nginx: there is no such value'],
    ['[HEADER].constructor != nginx', '[HEADER].constructor != nginx: there is no such value'],
  ])('%s does not hold, and says why', (text, violation) => {
    expect(violationOf(parseCondition(text), observed)).toBe(violation);
  });

  test.each([
    ['', /is no condition/],
    ['STATUS == 200', /is no condition/],
    ['[STATUS] = 200', /is no condition/],
    ['[STATUS] ==', /is no condition/],
    ['[STATUS].code == 200', /only \[BODY\] and \[HEADER\] have parts/],
    ['[HEADER] == x', /needs one name/],
    ['[HEADER].a.b == x', /needs one name/],
    ['[CERTIFICATE_DAYS] > soon', /soon is not a number/],
    ['[STATUS] == ok', /ok is not a number/],
    ['[BODY].a < b', /b is not a number/],
    ['[BODY].__proto__[x] == 1', /is no condition/],
  ])('%s is refused', (text, message) => {
    expect(() => parseCondition(text)).toThrow(message);
  });
});

describe('a response', () => {
  const target = {
    conditions: [parseCondition('[STATUS] == 200'), parseCondition('[BODY].status != critical')],
    degradedUnless: [parseCondition('[BODY].status == healthy')],
  };
  const of = (status: number, body: unknown) => judgeResponse(target, { status, responseTimeMs: 1, body });

  test('that meets every condition is ok', () => {
    expect(of(200, { status: 'healthy' })).toEqual({ outcome: 'ok', detail: 'HTTP 200' });
  });

  test.each(['warning', 'degraded'])('that says %s is degraded', (status) => {
    expect(of(200, { status }).outcome).toBe('degraded');
  });

  test('that says critical has failed, whatever its status, and says what was seen', () => {
    expect(of(200, { status: 'critical' })).toMatchObject({
      outcome: 'failed',
      detail: 'HTTP 200; [BODY].status != critical: it is "critical"',
    });
    expect(of(503, { status: 'critical' }).detail).toBe(
      'HTTP 503; [STATUS] == 200: it is 503; [BODY].status != critical: it is "critical"',
    );
  });

  test('that is some other page than the API’s has failed', () => {
    expect(of(200, '<html>welcome to nginx</html>').outcome).toBe('failed');
  });
});
