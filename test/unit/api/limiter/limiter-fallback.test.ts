import type { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createFallbackLimiter } from '#api/limiter/fallback-limiter.ts';
import { LimiterUnavailableError, type Limiter, type Quota, type Verdict } from '#api/limiter/limiter.ts';
import { createLocalLimiter, createSlidingWindows } from '#api/limiter/sliding-window.ts';
import { createLimiter } from '#api/limiter/create-limiter.ts';
import { createPrimaryCounter, createPrimaryLimiter, type PrimaryLink } from '#api/limiter/primary-limiter.ts';
import { createLogger } from '#lib/logger.ts';

const quota = { key: 'k', limit: 20, periodMs: 3_000 };
const silent = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const never = (): Promise<never> => new Promise(() => {});

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
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { limiter: first, isDown, calls } = switchable();
    const switches: string[] = [];
    const limiter = createFallbackLimiter({
      first,
      second: createLocalLimiter(),
      retryEveryMs: 20,
      onSwitch: (to) => switches.push(to),
    });
    await limiter.take([quota]);
    isDown(true);
    expect((await limiter.take([quota]))[0]?.allowed).toBe(true);
    expect(limiter.hasFallenBack()).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    const before = calls();
    await Promise.all(Array.from({ length: 5 }, () => limiter.take([quota])));
    expect(calls(), 'requests ask the first no more').toBe(before);
    isDown(false);
    await vi.advanceTimersByTimeAsync(20);
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

  test('tells once why it falls back, however many meet the silence, and tries the first by a request of nobody', async () => {
    const asked: string[] = [];
    const reason = new LimiterUnavailableError('no answer');
    const take: Limiter['take'] = (quotas) => {
      asked.push(...quotas.map(({ key }) => key));
      return Promise.reject(reason);
    };
    const told: unknown[] = [];
    const limiter = createFallbackLimiter({
      first: { take },
      second: createLocalLimiter(),
      retryEveryMs: 1_000,
      onSwitch: (...news) => told.push(news),
    });
    await Promise.all([limiter.take([quota]), limiter.take([quota])]);
    expect(told).toEqual([['second', reason]]);
    expect(asked).toEqual(['k', 'k', 'trial']);
  });

  test('returns though nobody wants to be told', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { limiter: first, isDown } = switchable();
    const limiter = createFallbackLimiter({ first, second: createLocalLimiter(), retryEveryMs: 20 });
    isDown(true);
    await limiter.take([quota]);
    await vi.advanceTimersByTimeAsync(20);
    expect(limiter.hasFallenBack()).toBe(true);
    isDown(false);
    await vi.advanceTimersByTimeAsync(20);
    expect(limiter.hasFallenBack()).toBe(false);
  });

  test('hands over how many were counted last and how long ago, of the keys it knows', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { limiter: first, isDown } = switchable();
    const { limiter: second, handedOver } = recording();
    const limiter = createFallbackLimiter({ first, second, retryEveryMs: 10_000 });
    await limiter.take([quota, { ...quota, key: 'other' }]);
    await limiter.take([quota]);
    vi.advanceTimersByTime(700);
    isDown(true);
    await limiter.take([quota, { ...quota, key: 'unknown' }]);
    expect(handedOver()).toEqual([
      { ...quota, counted: { count: 2, ageMs: 700 } },
      { ...quota, key: 'unknown' },
    ]);
  });

  test('remembers the counts of twenty thousand keys; a tenth, those it has known longest, makes room', async () => {
    const { limiter: first, isDown } = switchable();
    const { limiter: second, handedOver } = recording();
    const limiter = createFallbackLimiter({ first, second, retryEveryMs: 10_000 });
    const quotas = Array.from({ length: 20_000 }, (_, index) => ({ ...quota, key: `k${index}` }));
    await limiter.take(quotas);
    for (const key of ['k5', 'new', 'newer']) await limiter.take([{ ...quota, key }]);
    isDown(true);
    await limiter.take([...quotas, { ...quota, key: 'new' }]);
    expect(handedOver().flatMap(({ key, counted }) => (counted ? [] : [key]))).toEqual(
      Array.from({ length: 2_000 }, (_, index) => `k${index}`),
    );
  });

  test('the primary counts by a clock of its own, and takes over what a worker knows', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const count = createPrimaryCounter();
    const limiter = createPrimaryLimiter({ askPrimary: (takes) => Promise.resolve(count(takes)) }, 1_000);
    const take = async (changes: Partial<Quota> = {}): Promise<Verdict | undefined> => {
      const taken = limiter.take([{ ...quota, ...changes }]);
      await vi.advanceTimersByTimeAsync(0);
      return (await taken)[0];
    };
    expect(await take({ counted: { count: 19, ageMs: 1_000 } })).toMatchObject({ allowed: true, remaining: 0, resetMs: 2_000 });
    expect(await take()).toMatchObject({ allowed: false });
    vi.advanceTimersByTime(2_000);
    expect(await take(), 'one is left that was counted here').toMatchObject({ allowed: true, remaining: 18 });
  });
});

/** Allows all, and keeps the quotas it was asked last. */
function recording(): { readonly limiter: Limiter; readonly handedOver: () => readonly Quota[] } {
  let last: readonly Quota[] = [];
  const take: Limiter['take'] = (quotas) => {
    last = quotas;
    return Promise.resolve(quotas.map(({ limit }) => ({ allowed: true, remaining: limit, retryAfterMs: 0, resetMs: 0 })));
  };
  return { limiter: { take }, handedOver: () => last };
}

describe('the limiter of a worker', () => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(
    'test',
    { LOG_LEVEL: 'info', LOG_FORMAT: 'json' },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const told = (): unknown[] => lines.splice(0).map(({ level, store, reason, msg }) => ({ level, store, reason, msg }));
  const fellBack = 'rate limit is counted locally: its store does not answer';

  test('says which store does not answer and why, and when it counts there again', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const count = createPrimaryCounter();
    let isUp = false;
    const link: PrimaryLink = { askPrimary: (takes) => (isUp ? Promise.resolve(count(takes)) : never()) };
    const limiter = createLimiter({ link, redis: undefined, logger, onFallback: () => {} });
    const taken = limiter.take([quota]);
    await vi.advanceTimersByTimeAsync(2_010);
    await taken;
    expect(limiter.store()).toBe('local');
    expect(told()).toEqual([{ level: 'error', store: 'primary', reason: 'no answer in 2000 ms', msg: fellBack }]);
    isUp = true;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(limiter.store()).toBe('primary');
    expect(told()).toEqual([{ level: 'info', store: 'primary', reason: undefined, msg: 'rate limit is counted in its store again' }]);
  });

  test('counts in Redis where there is one, and by the primary while it is silent, which is local', async () => {
    let isUp = true;
    let askedPrimary = 0;
    const verdict = [1, 7, 0, 3_000];
    const redis = {
      defineCommand: () => {},
      on: () => {},
      takeQuotas: () => (isUp ? Promise.resolve(verdict) : Promise.reject(new Error('Connection is closed.'))),
    } as unknown as Redis;
    const count = createPrimaryCounter();
    const askPrimary: PrimaryLink['askPrimary'] = (takes) => {
      askedPrimary += 1;
      return Promise.resolve(count(takes));
    };
    let fallbacks = 0;
    const limiter = createLimiter({ link: { askPrimary }, redis, logger, onFallback: () => (fallbacks += 1) });
    expect(await limiter.take([quota])).toMatchObject([{ remaining: 7 }]);
    expect([limiter.store(), askedPrimary]).toEqual(['redis', 1]);
    isUp = false;
    expect(await limiter.take([quota]), 'from the book of this machine, where the one before stands').toMatchObject([{ remaining: 18 }]);
    expect([limiter.store(), fallbacks]).toEqual(['local', 1]);
    expect(told()).toEqual([{ level: 'error', store: 'redis', reason: 'counting failed', msg: fellBack }]);
  });
});
