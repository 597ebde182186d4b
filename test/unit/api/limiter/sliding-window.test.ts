import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSlidingWindows } from '#api/limiter/sliding-window.ts';
import type { Verdict } from '#api/limiter/limiter.ts';

const quota = (limit: number, periodMs: number, key = 'k') => ({ key, limit, periodMs });
const first = (verdicts: readonly Verdict[]): Verdict => verdicts[0] as Verdict;

/** Most requests in any window (t - period, t]. */
function fullestWindow(times: readonly number[], periodMs: number): number {
  return Math.max(0, ...times.map((end) => times.filter((time) => time > end - periodMs && time <= end).length));
}

const arrivals = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 120 });
const limits = fc.integer({ min: 0, max: 12 });
const periods = fc.integer({ min: 1, max: 1_000 });

describe('the sliding window', () => {
  test('never holds more than the limit in any window, and refuses nobody who would fit', () => {
    fc.assert(
      fc.property(arrivals, limits, periods, (gaps, limit, periodMs) => {
        const windows = createSlidingWindows();
        const allowed: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const wouldFit = allowed.filter((time) => time > now - periodMs).length < limit;
          expect(first(windows.take([quota(limit, periodMs)], now)).allowed).toBe(wouldFit);
          if (wouldFit) allowed.push(now);
        }
        expect(fullestWindow(allowed, periodMs)).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('tells a retry time after which the request is allowed, and before which it is not', () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 12 }), periods, (gaps, limit, periodMs) => {
        const windows = createSlidingWindows();
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const verdict = first(windows.take([quota(limit, periodMs)], now));
          if (verdict.allowed) continue;
          expect(first(windows.take([quota(limit, periodMs)], now + verdict.retryAfterMs - 1)).allowed).toBe(false);
          now += verdict.retryAfterMs;
          expect(first(windows.take([quota(limit, periodMs)], now)).allowed).toBe(true);
        }
      }),
    );
  });

  test('counts down what remains, one by one, to zero', () => {
    const windows = createSlidingWindows();
    const remaining = Array.from({ length: 5 }, () => first(windows.take([quota(5, 1_000)], 10)).remaining);
    expect(remaining).toEqual([4, 3, 2, 1, 0]);
  });

  test('holds at the border of a window: full again only when the first request is a whole period old', () => {
    const windows = createSlidingWindows();
    const take = (now: number): boolean => first(windows.take([quota(3, 1_000)], now)).allowed;
    expect([take(0), take(999), take(999)]).toEqual([true, true, true]);
    expect(take(999.9)).toBe(false);
    expect([take(1_000), take(1_000)]).toEqual([true, false]);
  });

  test('counts against every quota or against none', () => {
    const windows = createSlidingWindows();
    const [wide, narrow] = [quota(10, 1_000, 'wide'), quota(2, 1_000, 'narrow')];
    for (let index = 0; index < 6; index += 1) windows.take([wide, narrow], 0);
    expect(first(windows.take([wide], 0)).remaining).toBe(7);
  });

  test('a limit of zero refuses everyone for a period', () => {
    const verdict = first(createSlidingWindows().take([quota(0, 60_000)], 5));
    expect(verdict).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 60_000 });
  });

  test('keeps keys apart', () => {
    const windows = createSlidingWindows();
    for (let index = 0; index < 3; index += 1) windows.take([quota(1, 1_000, 'abuser')], 0);
    expect(first(windows.take([quota(1, 1_000, 'other')], 0)).allowed).toBe(true);
  });

  test('holds a bounded number of keys and drops those with nothing counted first', () => {
    const windows = createSlidingWindows(100);
    windows.take([quota(1, 10_000, 'busy')], 0);
    for (let index = 0; index < 1_000; index += 1) windows.take([quota(1, 10, `k${index}`)], index);
    expect(windows.size()).toBeLessThanOrEqual(100);
    expect(first(windows.take([quota(1, 10_000, 'busy')], 1_000)).allowed).toBe(false);
  });
});
