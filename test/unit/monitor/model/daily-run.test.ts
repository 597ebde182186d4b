import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideDailyRun, latestSlot, retryDelayMs, type RunHistory } from '#monitor/model/daily-run.ts';

const two = { hour: 2, minute: 0 };
const at = (time: string): number => Date.parse(`2026-11-${time}Z`);
const done = (lastDoneAt: number | undefined): RunHistory => ({ lastDoneAt, failedAttempts: 0, lastAttemptAt: undefined });

describe('the daily run', () => {
  test.each([
    ['is due when nothing was ever made', done(undefined), '24T12:00', { isDue: true, reason: 'first' }],
    ['is due at its time', done(at('23T02:00')), '24T02:00', { isDue: true, reason: 'scheduled' }],
    [
      'is not due a moment before its time',
      done(at('23T02:00')),
      '24T01:59:59.999',
      { isDue: false, reason: 'done', nextAt: at('24T02:00') },
    ],
    ['is not due again the same day', done(at('24T02:00:07')), '24T23:59', { isDue: false, reason: 'done', nextAt: at('25T02:00') }],
    ['is missed when nobody ran at its time', done(at('23T02:00')), '24T09:30', { isDue: true, reason: 'missed' }],
    [
      'is caught up once, not once for each day missed',
      done(at('24T09:31')),
      '24T09:32',
      { isDue: false, reason: 'done', nextAt: at('25T02:00') },
    ],
  ] as const)('%s', (_sentence, history, now, decision) => {
    expect(decideDailyRun(two, history, at(now))).toEqual(decision);
  });

  test('that failed is tried again after a growing delay', () => {
    const failed = { lastDoneAt: at('23T02:00'), failedAttempts: 2, lastAttemptAt: at('24T02:15') };
    expect(decideDailyRun(two, failed, at('24T02:44'))).toEqual({ isDue: false, reason: 'wait_to_retry', nextAt: at('24T02:45') });
    expect(decideDailyRun(two, failed, at('24T02:45'))).toEqual({ isDue: true, reason: 'retry' });
    expect([1, 2, 3, 9].map(retryDelayMs)).toEqual([900_000, 1_800_000, 3_600_000, 21_600_000]);
  });

  test('does not wait for an attempt that lies in the future because the clock was set back', () => {
    const ahead = { lastDoneAt: at('23T02:00'), failedAttempts: 1, lastAttemptAt: at('24T08:00') };
    expect(decideDailyRun(two, ahead, at('24T03:00'))).toEqual({ isDue: true, reason: 'retry' });
  });
});

const timeOfDay = fc.record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.integer({ min: 0, max: 59 }) });
const minuteMs = 60_000;
const dayMs = 86_400_000;

test('the latest slot is at most a day old, never ahead, and at its time of day in UTC', () => {
  fc.assert(
    fc.property(timeOfDay, fc.integer({ min: 0, max: 4e12 }), (time, now) => {
      const slot = latestSlot(time, now);
      expect(now - slot).toBeGreaterThanOrEqual(0);
      expect(now - slot).toBeLessThan(dayMs);
      expect(new Date(slot).toISOString().slice(11, 16)).toBe(
        `${String(time.hour).padStart(2, '0')}:${String(time.minute).padStart(2, '0')}`,
      );
    }),
  );
});

test('asked at any moments, with any gaps and failures, there is at most one good run a slot, and one after every gap', () => {
  const ask = fc.record({
    gapMs: fc.oneof(fc.integer({ min: 1, max: 10 * minuteMs }), fc.integer({ min: 1, max: 3 * dayMs })),
    succeeds: fc.boolean(),
  });
  fc.assert(
    fc.property(timeOfDay, fc.array(ask, { minLength: 1, maxLength: 200 }), (time, asks) => {
      let now = at('01T00:00');
      let history: RunHistory = done(now);
      const goodSlots: number[] = [];
      for (const { gapMs, succeeds } of asks) {
        now += gapMs;
        const slot = latestSlot(time, now);
        // Attempts of an earlier slot say nothing about this one.
        if (history.lastAttemptAt !== undefined && history.lastAttemptAt < slot) history = done(history.lastDoneAt);
        const decision = decideDailyRun(time, history, now);
        const isMade = (history.lastDoneAt ?? 0) >= slot;
        // Made once, it is not due; never tried, it is; after a failure either may be.
        expect(decision.isDue).toSatisfy((isDue: boolean) => (isMade ? !isDue : isDue || history.failedAttempts > 0));
        expect(decision.isDue || decision.nextAt > now).toBe(true);
        if (!decision.isDue) continue;
        if (succeeds) {
          goodSlots.push(slot);
          history = done(now);
        } else {
          history = { lastDoneAt: history.lastDoneAt, failedAttempts: history.failedAttempts + 1, lastAttemptAt: now };
        }
      }
      expect(new Set(goodSlots).size).toBe(goodSlots.length);
    }),
    { numRuns: 300 },
  );
});
