import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createBatchingLimiter, flatten, type FlatVerdicts, type Take } from '#api/limiter/batch-takes.ts';
import { LimiterUnavailableError, type Limiter, type Verdict } from '#api/limiter/limiter.ts';

const quota = { key: 'k', limit: 20, periodMs: 3_000 };
const never = (): Promise<never> => new Promise(() => {});
const verdict = (remaining: number): Verdict => ({ allowed: true, remaining, retryAfterMs: 0, resetMs: 1 });

/** Counts when it is told to; `sent` holds the size of each batch. */
function counter(): {
  readonly send: (takes: readonly Take[]) => Promise<FlatVerdicts>;
  readonly sent: number[];
  readonly answer: () => void;
} {
  const sent: number[] = [];
  let answer: (() => void) | undefined;
  let counted = 0;
  const send = (takes: readonly Take[]): Promise<FlatVerdicts> => {
    sent.push(takes.length);
    return new Promise((resolve) => {
      answer = () => resolve(takes.flatMap((take) => flatten(take.map(() => verdict((counted += 1))))));
    });
  };
  return {
    send,
    sent,
    answer: () => {
      answer?.();
      answer = undefined;
    },
  };
}

/** What the clock of these tests takes for one turn of the loop. */
const turnMs = 1;

/** Lets everything happen that needs no time to pass. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

const takeMany = (limiter: Limiter, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, async () => (await limiter.take([quota]))[0]?.remaining ?? -1));

/** How a take ends, without waiting for it. */
function endOf(taken: ReturnType<Limiter['take']>): { now: string } {
  const end = { now: 'waits' };
  taken.then(
    (verdicts) => (end.now = `counted ${verdicts.map(({ remaining }) => remaining).join(' ')}`),
    (err: Error) => (end.now = `${err.name}: ${err.message}`),
  );
  return end;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('batched counting', () => {
  test('sends requests of one turn together, and those that arrive meanwhile in the next batch, in order', async () => {
    const { send, sent, answer } = counter();
    const limiter = createBatchingLimiter({ send, timeoutMs: 1_000 });
    const early = takeMany(limiter, 3);
    await settle();
    const late = [takeMany(limiter, 1)];
    await settle();
    late.push(takeMany(limiter, 1));
    await settle();
    expect(sent).toEqual([3]);
    answer();
    expect(await early).toEqual([1, 2, 3]);
    await settle();
    expect(sent).toEqual([3, 2]);
    answer();
    expect(await Promise.all(late)).toEqual([[4], [5]]);
  });

  test.each([
    [3, 'at once: nobody else comes', [3, 1, 1]],
    [4, 'together a moment later: more are coming', [4, 2]],
  ])('after a batch of %i sends those who come next %s', async (size, _when, expected) => {
    const { send, sent, answer } = counter();
    const limiter = createBatchingLimiter({ send, timeoutMs: 1_000 });
    const crowd = takeMany(limiter, size);
    await settle();
    answer();
    await crowd;
    const next = [endOf(limiter.take([quota]))];
    await settle();
    answer();
    next.push(endOf(limiter.take([quota])));
    await vi.advanceTimersByTimeAsync(2);
    answer();
    await settle();
    expect(sent).toEqual(expected);
    expect(next.map(({ now }) => now)).toEqual([`counted ${size + 1}`, `counted ${size + 2}`]);
  });

  test('gives each request the verdicts of its own quotas, in order', async () => {
    const { send, answer } = counter();
    const limiter = createBatchingLimiter({ send, timeoutMs: 1_000 });
    const taken = Promise.all([limiter.take([quota, quota]), limiter.take([quota]), limiter.take([quota, quota, quota])]);
    await settle();
    answer();
    expect((await taken).map((verdicts) => verdicts.map(({ remaining }) => remaining))).toEqual([[1, 2], [3], [4, 5, 6]]);
  });

  test('brings every part of a verdict through', async () => {
    const verdicts: Verdict[] = [
      { allowed: false, remaining: 0, retryAfterMs: 70, resetMs: 40 },
      { allowed: true, remaining: 9, retryAfterMs: 0, resetMs: 3_000 },
    ];
    const limiter = createBatchingLimiter({ send: () => Promise.resolve(flatten(verdicts)), timeoutMs: 1_000 });
    const taken = limiter.take([quota, quota]);
    await settle();
    expect(await taken).toEqual(verdicts);
  });

  test('refuses a batch without an answer, and whoever waits behind it, when the time is over and not before', async () => {
    const limiter = createBatchingLimiter({ send: never, timeoutMs: 40 });
    const first = endOf(limiter.take([quota]));
    await settle();
    const behind = endOf(limiter.take([quota]));
    await vi.advanceTimersByTimeAsync(39);
    expect([first.now, behind.now]).toEqual(['waits', 'waits']);
    await vi.advanceTimersByTimeAsync(1 + turnMs);
    const refused = 'LimiterUnavailableError: no answer in 40 ms';
    expect([first.now, behind.now]).toEqual([refused, refused]);
  });

  test('counts again after a batch that was refused', async () => {
    const { send, sent, answer } = counter();
    const limiter = createBatchingLimiter({ send, timeoutMs: 40 });
    const refused = endOf(limiter.take([quota]));
    await vi.advanceTimersByTimeAsync(40 + turnMs);
    expect(refused.now).toContain('no answer');
    const next = endOf(limiter.take([quota]));
    await settle();
    answer();
    await settle();
    expect(next.now).toBe('counted 1');
    expect(sent).toEqual([1, 1]);
  });

  test('takes a standstill of its own process for no more than a fourth of the silence', async () => {
    const { send, answer } = counter();
    const limiter = createBatchingLimiter({ send, timeoutMs: 40 });
    const waiting = endOf(limiter.take([quota]));
    await settle();
    // What is due runs once, however long the process stood still.
    for (let standstill = 0; standstill < 3; standstill += 1) await vi.runOnlyPendingTimersAsync();
    expect(waiting.now).toBe('waits');
    answer();
    await settle();
    expect(waiting.now).toBe('counted 1');
  });

  test('leaves no timer behind once it has answered', async () => {
    const { send, answer } = counter();
    const taken = createBatchingLimiter({ send, timeoutMs: 40 }).take([quota]);
    await settle();
    answer();
    await taken;
    await settle();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('refuses at once beyond its bound, and only until the batch is on its way', async () => {
    const limiter = createBatchingLimiter({ send: never, timeoutMs: 50, maxPending: 2 });
    const ends = [1, 2, 3].map(() => endOf(limiter.take([quota])));
    await settle();
    const refused = 'LimiterUnavailableError: too many requests wait to be counted';
    expect(ends.map(({ now }) => now)).toEqual(['waits', 'waits', refused]);
    const next = endOf(limiter.take([quota]));
    await settle();
    expect(next.now).toBe('waits');
  });

  test('refuses whom a short answer leaves out, and gives nobody the verdicts of another', async () => {
    const answered = flatten([verdict(7), verdict(8)]);
    const limiter = createBatchingLimiter({ send: () => Promise.resolve(answered), timeoutMs: 50 });
    const ends = [[quota], [quota, quota], [quota]].map((take) => endOf(limiter.take(take)));
    await settle();
    const refused = 'LimiterUnavailableError: the answer is shorter than the question';
    expect(ends.map(({ now }) => now)).toEqual(['counted 7', refused, refused]);
  });

  test('refuses with what went wrong as the cause, and as it is when that says enough', async () => {
    const broken = new Error('socket closed');
    const failing = createBatchingLimiter({ send: () => Promise.reject(broken), timeoutMs: 50 }).take([quota]);
    const told = new LimiterUnavailableError('told');
    const telling = createBatchingLimiter({ send: () => Promise.reject(told), timeoutMs: 50 }).take([quota]);
    const results = Promise.allSettled([failing, telling]);
    await settle();
    const [first, second] = (await results) as PromiseRejectedResult[];
    expect(first?.reason).toBeInstanceOf(LimiterUnavailableError);
    expect(first?.reason).toMatchObject({ message: 'counting failed', cause: broken });
    expect(second?.reason).toBe(told);
  });
});
