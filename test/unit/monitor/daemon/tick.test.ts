import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { everyMinute, everySecond } from '#monitor/daemon/duties/duty.ts';

describe('the tick', () => {
  beforeEach(
    () => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] }),
  );
  afterEach(() => void vi.useRealTimers());

  test.each([
    ['set back by an hour', -3_600_000],
    ['set forward by a year', 365 * 86_400_000],
  ])('of every minute goes on when the clock is %s', async (_, byMs) => {
    const stop = new AbortController();
    let ticks = 0;
    everyMinute(() => void (ticks += 1), stop.signal);
    await vi.advanceTimersByTimeAsync(180_000);
    expect(ticks).toBe(3);
    vi.setSystemTime(Date.now() + byMs);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(ticks).toBeGreaterThanOrEqual(7);
    stop.abort();
    const before = ticks;
    await vi.advanceTimersByTimeAsync(300_000);
    expect(ticks).toBe(before);
  });

  test('of every second does not look at that clock at all', async () => {
    const stop = new AbortController();
    let ticks = 0;
    everySecond(() => void (ticks += 1), stop.signal);
    vi.setSystemTime(Date.now() - 3_600_000);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ticks).toBe(5);
    stop.abort();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ticks).toBe(5);
  });
});
