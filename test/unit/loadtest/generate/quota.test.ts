import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSendCounter, parseQuotas, unusedQuota } from '#loadtest/generate/quota.ts';

test.each([
  ['"loadtest";q=1000;w=60', [{ name: 'loadtest', calls: 1_000, periodSeconds: 60 }]],
  [
    '"default";q=100;w=60, "search";q=30;w=60',
    [
      { name: 'default', calls: 100, periodSeconds: 60 },
      { name: 'search', calls: 30, periodSeconds: 60 },
    ],
  ],
  ['"odd";q=1', []],
  ['100/60', []],
  [undefined, []],
])('the quotas of RateLimit-Policy %s', (header, quotas) => {
  expect(parseQuotas(header)).toEqual(quotas);
});

const quotas = [{ name: 'a', calls: 10, periodSeconds: 60 }];

test('a refusal names a quota that is unused when fewer were sent than it grants, and none once it is used up', () => {
  expect(unusedQuota(quotas, () => 10)?.name).toBe('a');
  expect(unusedQuota(quotas, () => 11)).toBeUndefined();
  expect(unusedQuota([], () => 0)).toBeUndefined();
  const two = [...quotas, { name: 'b', calls: 2, periodSeconds: 60 }];
  expect(unusedQuota(two, () => 3)).toBeUndefined();
  expect(unusedQuota(two, () => 2)?.name).toBe('b');
});

test('counts never fewer than were sent in any window of that length, and of one longer than two seconds no more', () => {
  const gaps = fc.array(fc.nat(7), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 100 }), (waits, period) => {
      const counter = createSendCounter();
      const sent: number[] = [];
      let now = 0;
      for (const wait of waits) {
        now += wait;
        counter.sent(now);
        sent.push(now);
        const within = (seconds: number): number => sent.filter((at) => at > now - seconds).length;
        expect(counter.within(period, now)).toBeGreaterThanOrEqual(within(period));
        expect(counter.within(period, now)).toBeLessThanOrEqual(within(period + 2));
      }
    }),
  );
});

test('of a period longer than it remembers it claims nothing', () => {
  expect(createSendCounter().within(3_600, 5)).toBe(Number.POSITIVE_INFINITY);
});
