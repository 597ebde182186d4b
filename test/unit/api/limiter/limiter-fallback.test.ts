import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createBatchingLimiter, flatten, type Take } from '#api/limiter/batch-takes.ts';
import { createFallbackLimiter } from '#api/limiter/fallback-limiter.ts';
import { LimiterUnavailableError, type Limiter, type Verdict } from '#api/limiter/limiter.ts';
import { createLocalLimiter, createSlidingWindows } from '#api/limiter/sliding-window.ts';
import { createLimiter } from '#api/limiter/create-limiter.ts';
import { createPrimaryCounter } from '#api/limiter/primary-limiter.ts';
import { createLogger } from '#lib/logger.ts';

const quota = { key: 'k', limit: 20, periodMs: 3_000 };
const silent = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const never = (): Promise<never> => new Promise(() => {});
const verdict = (remaining: number): Verdict => ({ allowed: true, remaining, retryAfterMs: 0, resetMs: 1 });

describe('batched counting', () => {
  test('sends requests of one turn together, and those that arrive meanwhile in the next batch, in order', async () => {
    const batches: number[] = [];
    let counted = 0;
    const send = async (takes: readonly Take[]): Promise<number[]> => {
      batches.push(takes.length);
      await sleep(5);
      return takes.flatMap(() => flatten([verdict((counted += 1))]));
    };
    const limiter = createBatchingLimiter({ send, timeoutMs: 1_000 });
    const early = [limiter.take([quota]), limiter.take([quota]), limiter.take([quota])];
    await sleep(1);
    const late = [limiter.take([quota]), limiter.take([quota])];
    const all = await Promise.all([...early, ...late]);
    expect(all.map(([only]) => only?.remaining)).toEqual([1, 2, 3, 4, 5]);
    expect(batches).toEqual([3, 2]);
  });

  test('refuses a batch without an answer, and whoever waits behind it, when the time is over', async () => {
    const limiter = createBatchingLimiter({ send: never, timeoutMs: 40 });
    const first = limiter.take([quota]);
    await sleep(10);
    await expect(limiter.take([quota])).rejects.toThrow(LimiterUnavailableError);
    await expect(first).rejects.toThrow('no answer in 40 ms');
  });

  test('refuses at once beyond its bound, and an answer that is too short', async () => {
    const bounded = createBatchingLimiter({ send: never, timeoutMs: 50, maxPending: 2 });
    const results = await Promise.allSettled([1, 2, 3].map(() => bounded.take([quota])));
    expect(String((results[2] as PromiseRejectedResult).reason)).toContain('too many requests');
    const short = createBatchingLimiter({ send: () => Promise.resolve([1, 1]), timeoutMs: 50 });
    await expect(short.take([quota])).rejects.toThrow(LimiterUnavailableError);
  });
});

const switchable = (): { limiter: Limiter; isDown: (down: boolean) => void; calls: () => number } => {
  let down = false;
  let calls = 0;
  const local = createLocalLimiter();
  const take: Limiter['take'] = (quotas) => {
    calls += 1;
    return down ? Promise.reject(new LimiterUnavailableError('down')) : local.take(quotas);
  };
  return { limiter: { take }, isDown: (value) => (down = value), calls: () => calls };
};

describe('the fallback', () => {
  test('decides by the second while the first is silent, and returns by itself', async () => {
    const { limiter: first, isDown, calls } = switchable();
    const switches: string[] = [];
    const returned = Promise.withResolvers<void>();
    const limiter = createFallbackLimiter({
      first,
      second: createLocalLimiter(),
      retryEveryMs: 20,
      onSwitch: (to) => {
        switches.push(to);
        if (to === 'first') returned.resolve();
      },
    });
    await limiter.take([quota]);
    isDown(true);
    expect((await limiter.take([quota]))[0]?.allowed).toBe(true);
    expect(limiter.hasFallenBack()).toBe(true);
    const before = calls();
    await sleep(1);
    await Promise.all(Array.from({ length: 5 }, () => limiter.take([quota])));
    expect(calls(), 'requests ask the first no more').toBe(before);
    isDown(false);
    await returned.promise;
    expect(limiter.hasFallenBack()).toBe(false);
    expect(switches).toEqual(['second', 'first']);
  });

  test('begins with what the first had counted', async () => {
    const { limiter: first, isDown } = switchable();
    const limiter = createFallbackLimiter({ first, second: createLocalLimiter(), retryEveryMs: 1_000 });
    for (let index = 0; index < 20; index += 1) await limiter.take([quota]);
    isDown(true);
    expect((await limiter.take([quota]))[0]).toMatchObject({ allowed: false, remaining: 0 });
    expect((await limiter.take([{ ...quota, key: 'another' }]))[0]).toMatchObject({ allowed: true, remaining: 19 });
  });

  test('takes over counts only as long as they lie in the window, and never counts down', () => {
    const windows = createSlidingWindows();
    const take = (count: number, ageMs: number, now: number) => windows.take([{ ...quota, counted: { count, ageMs } }], now)[0];
    expect(take(15, 3_000, 10_000)).toMatchObject({ remaining: 19 });
    expect(take(15, 1_000, 10_000)).toMatchObject({ remaining: 4 });
    expect(take(3, 500, 10_100)).toMatchObject({ remaining: 3 });
    expect(windows.take([quota], 13_000)[0], 'what was taken over is as old as the newest counted here').toMatchObject({ remaining: 18 });
  });

  test('of a primary that does not answer decides after two seconds, still limits, and says local', async () => {
    let fallbacks = 0;
    const limiter = createLimiter({ link: { askPrimary: never }, redis: undefined, logger: silent, onFallback: () => (fallbacks += 1) });
    expect(limiter.store()).toBe('primary');
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const asked = Promise.all(Array.from({ length: 50 }, () => limiter.take([quota])));
    await vi.advanceTimersByTimeAsync(1_950);
    expect(limiter.store()).toBe('primary');
    await vi.advanceTimersByTimeAsync(100);
    const results = await asked;
    expect(results.filter(([only]) => only?.allowed)).toHaveLength(20);
    expect(limiter.store()).toBe('local');
    expect(fallbacks).toBe(1);
  });

  test('the primary counts what all workers ask', async () => {
    const count = createPrimaryCounter();
    const workers = [1, 2, 3, 4].map(() =>
      createLimiter({
        link: { askPrimary: (takes) => Promise.resolve(count(takes)) },
        redis: undefined,
        logger: silent,
        onFallback: () => {},
      }),
    );
    const results = await Promise.all(workers.flatMap((worker) => Array.from({ length: 30 }, () => worker.take([quota]))));
    const allowed = results.flatMap(([only]) => (only?.allowed ? [only.remaining] : []));
    expect(allowed.toSorted((a, b) => b - a)).toEqual(Array.from({ length: 20 }, (_, index) => 19 - index));
  });
});
