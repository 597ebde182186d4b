import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLocalLimiter, createSlidingWindows } from '#api/limiter/sliding-window.ts';
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

  test('holds a bounded number of keys: of a flood its own make room', () => {
    const windows = createSlidingWindows(100);
    windows.take([quota(1, 10_000, 'busy')], 0);
    for (let index = 0; index < 1_000; index += 1) windows.take([quota(1, 9_000, `k${index}`)], index);
    expect(windows.size()).toBeLessThanOrEqual(100);
    expect(first(windows.take([quota(1, 10_000, 'busy')], 1_000)).allowed).toBe(false);
  });

  test('holds of callers who come once no more than twice those of one period', () => {
    const windows = createSlidingWindows();
    for (let now = 0; now < 5_000; now += 1) {
      windows.take([quota(3, 100, `k${now}`)], now);
      expect(windows.size()).toBeLessThanOrEqual(200);
    }
  });

  test('tells with each verdict what is left, when to ask again, and when the oldest request frees its place', () => {
    const windows = createSlidingWindows();
    const take = (now: number): Verdict => first(windows.take([quota(2, 1_000)], now));
    expect(take(0)).toEqual({ allowed: true, remaining: 1, retryAfterMs: 0, resetMs: 1_000 });
    expect(take(300.5)).toEqual({ allowed: true, remaining: 0, retryAfterMs: 700, resetMs: 700 });
    expect(take(400)).toEqual({ allowed: false, remaining: 0, retryAfterMs: 600, resetMs: 600 });
    expect(take(1_000)).toEqual({ allowed: true, remaining: 0, retryAfterMs: 301, resetMs: 301 });
  });

  test('tells of a quota with room that it allows, though another refuses the request', () => {
    const windows = createSlidingWindows();
    const [free, full] = [quota(5, 1_000, 'free'), quota(1, 2_000, 'full')];
    windows.take([full], 0);
    expect(windows.take([free, full], 500)).toEqual([
      { allowed: true, remaining: 5, retryAfterMs: 0, resetMs: 0 },
      { allowed: false, remaining: 0, retryAfterMs: 1_500, resetMs: 1_500 },
    ]);
  });

  test('of a limit that was lowered allows again only when enough have left', () => {
    const windows = createSlidingWindows();
    for (const now of [0, 100, 200]) windows.take([quota(3, 1_000)], now);
    expect(first(windows.take([quota(2, 1_000)], 300))).toEqual({ allowed: false, remaining: 0, retryAfterMs: 800, resetMs: 700 });
    expect(first(windows.take([quota(2, 1_000)], 1_099)).allowed).toBe(false);
    expect(first(windows.take([quota(2, 1_000)], 1_100)).allowed).toBe(true);
  });

  test('counts hundreds of one key, and forgets them in the order in which they came', () => {
    const windows = createSlidingWindows();
    const take = (now: number): number => first(windows.take([quota(300, 1_000)], now)).remaining;
    expect(Array.from({ length: 300 }, (_, now) => take(now))).toEqual(Array.from({ length: 300 }, (_, now) => 299 - now));
    expect(take(1_149), 'those of the first 150 milliseconds have left').toBe(149);
  });

  test('makes room for a new key once it is full: a tenth, those held longest', () => {
    const windows = createSlidingWindows(10);
    const allows = (key: string): boolean => first(windows.take([quota(1, 1_000, key)], 0)).allowed;
    for (let index = 0; index < 10; index += 1) allows(`k${index}`);
    expect(windows.size()).toBe(10);
    allows('new');
    expect(windows.size()).toBe(10);
    expect(allows('k1'), 'still counted').toBe(false);
    expect(allows('k0'), 'forgotten').toBe(true);
  });

  test('takes over into an empty window what leaves it when it is a period old', () => {
    const windows = createSlidingWindows();
    const counted = { count: 3, ageMs: 400 };
    expect(first(windows.take([{ ...quota(3, 1_000), counted }], 1_000))).toEqual({
      allowed: false,
      remaining: 0,
      retryAfterMs: 600,
      resetMs: 600,
    });
    expect(first(windows.take([quota(3, 1_000)], 1_600))).toMatchObject({ allowed: true, remaining: 2 });
  });

  test('takes over no more than the limit, as requests no older than the newest counted here', () => {
    const windows = createSlidingWindows();
    windows.take([quota(3, 1_000)], 1_000);
    const counted = { count: 50, ageMs: 900 };
    expect(first(windows.take([{ ...quota(3, 1_000), counted }], 1_000))).toMatchObject({ allowed: false, retryAfterMs: 1_000 });
    expect(first(windows.take([quota(2, 1_000)], 1_050)), 'of a limit that was lowered').toMatchObject({ retryAfterMs: 950 });
    expect(first(windows.take([quota(3, 1_000)], 1_999)).allowed).toBe(false);
    expect(first(windows.take([quota(3, 1_000)], 2_000)).remaining).toBe(2);
  });
});

describe('the local limiter', () => {
  test('counts by the clock it is given, else by one that goes on by itself', async () => {
    let now = 5;
    const limiter = createLocalLimiter(() => now);
    const take = async (): Promise<Verdict> => first(await limiter.take([quota(1, 1_000)]));
    expect([(await take()).allowed, (await take()).allowed]).toEqual([true, false]);
    now += 1_000;
    expect((await take()).allowed).toBe(true);
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const byItself = createLocalLimiter();
    await byItself.take([quota(1, 1_000)]);
    vi.advanceTimersByTime(400);
    expect(first(await byItself.take([quota(1, 1_000)]))).toMatchObject({ allowed: false, retryAfterMs: 600 });
  });
});
