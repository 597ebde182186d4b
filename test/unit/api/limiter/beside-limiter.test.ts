import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBesideLimiter } from '#api/limiter/beside-limiter.ts';
import { LimiterUnavailableError, type Limiter } from '#api/limiter/limiter.ts';
import { createPrimaryCounter, createPrimaryLimiter } from '#api/limiter/primary-limiter.ts';
import { createLocalLimiter } from '#api/limiter/sliding-window.ts';

const quota = { key: 'k', limit: 5, periodMs: 1_000 };

/** A machine of workers whose Redis can fall silent and forget, on a clock that is moved by hand. */
function createMachine(workers: number) {
  let nowMs = 1;
  let redis = createLocalLimiter(() => nowMs);
  let isUp = true;
  const count = createPrimaryCounter(() => nowMs);
  const book = createPrimaryLimiter({ askPrimary: (takes) => Promise.resolve(count(takes)) }, 1_000);
  const decider: Limiter = { take: (quotas) => (isUp ? redis.take(quotas) : Promise.reject(new LimiterUnavailableError('down'))) };
  const beside = createBesideLimiter({ decider, machine: book, book });
  const isAlone = Array.from({ length: workers }, () => false);
  const fallBack = (worker: number): Promise<unknown> => {
    isAlone[worker] = true;
    return book.take([]);
  };
  return {
    nowMs: () => nowMs,
    pass: (ms: number) => void (nowMs += ms),
    stop: () => void (isUp = false),
    /** It answers again; whose connection it closed when it forgot has fallen back. */
    begin: async (hasForgotten: boolean) => {
      isUp = true;
      if (!hasForgotten) return;
      redis = createLocalLimiter(() => nowMs);
      for (let worker = 0; worker < workers; worker += 1) await fallBack(worker);
    },
    goBack: (worker: number) => void (isAlone[worker] &&= !isUp),
    /** A request that another machine lets in. */
    elsewhere: () => redis.take([quota]),
    take: async (worker: number) => {
      if (!isAlone[worker]) {
        try {
          return (await beside.take([quota]))[0];
        } catch {
          await fallBack(worker);
        }
      }
      return (await book.take([quota]))[0];
    },
  };
}

const takeMany = async (machine: ReturnType<typeof createMachine>, times: number): Promise<number> => {
  let allowed = 0;
  for (let left = times; left > 0; left -= 1) allowed += (await machine.take(left % 2))?.allowed ? 1 : 0;
  return allowed;
};

describe('the book beside Redis', () => {
  test('leaves it to Redis, which knows of other machines, and keeps nothing of what that refuses', async () => {
    const machine = createMachine(2);
    for (let others = 0; others < 4; others += 1) await machine.elsewhere();
    expect(await machine.take(0)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await takeMany(machine, 6)).toBe(0);
    machine.stop();
    expect(await machine.take(1), 'of five this machine let in one, and lets in another').toMatchObject({ allowed: true, remaining: 3 });
  });

  test('holds the limit while Redis is silent, and when it comes back without what was let in meanwhile', async () => {
    const machine = createMachine(2);
    expect(await takeMany(machine, 3)).toBe(3);
    machine.stop();
    expect(await takeMany(machine, 9)).toBe(2);
    await machine.begin(false);
    [0, 1].forEach((worker) => machine.goBack(worker));
    expect(await machine.take(0)).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 1_000 });
    machine.pass(1_000);
    expect(await takeMany(machine, 9)).toBe(5);
  });

  test('and Redis must both agree after that: what other machines have used up is not let in', async () => {
    const machine = createMachine(2);
    machine.stop();
    expect(await machine.take(0)).toMatchObject({ allowed: true });
    await machine.begin(false);
    machine.goBack(0);
    for (let others = 0; others < 5; others += 1) await machine.elsewhere();
    expect(await machine.take(0)).toMatchObject({ allowed: false, remaining: 0 });
    machine.stop();
    expect(await machine.take(0), 'nor is it kept in the book').toMatchObject({ allowed: true, remaining: 3 });
  });

  test('holds the limit when Redis forgets all it had counted', async () => {
    const machine = createMachine(2);
    expect(await takeMany(machine, 4)).toBe(4);
    machine.pass(500);
    await machine.begin(true);
    [0, 1].forEach((worker) => machine.goBack(worker));
    expect(await machine.take(0), 'what is told is what is left').toMatchObject({ allowed: true, remaining: 0 });
    expect(await machine.take(1)).toMatchObject({ allowed: false, retryAfterMs: 500 });
  });

  test('lets in exactly the limit in any window, whatever becomes of Redis in between', async () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('take' as const), worker: fc.nat(2) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 700 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('begin' as const), hasForgotten: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('goBack' as const), worker: fc.nat(2) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const machine = createMachine(3);
        const letIn: number[] = [];
        for (const one of steps) {
          if (one.kind === 'pass') machine.pass(one.ms);
          if (one.kind === 'stop') machine.stop();
          if (one.kind === 'begin') await machine.begin(one.hasForgotten);
          if (one.kind === 'goBack') machine.goBack(one.worker);
          if (one.kind !== 'take') continue;
          const inWindow = letIn.filter((atMs) => atMs > machine.nowMs() - quota.periodMs).length;
          const isAllowed = (await machine.take(one.worker))?.allowed;
          expect([inWindow, isAllowed]).toEqual([inWindow, inWindow < quota.limit]);
          if (isAllowed) letIn.push(machine.nowMs());
        }
      }),
      { numRuns: 150 },
    );
  });
});
