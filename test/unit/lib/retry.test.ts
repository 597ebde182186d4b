import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffDelayMs, nextRestart, retry } from '#lib/retry.ts';

const quick = { firstDelayMs: 1, maxDelayMs: 2 };

/** Fails until its attempt has that number. */
const succeedsAt =
  (needed: number) =>
  async (attempt: number): Promise<number> => {
    if (attempt < needed) throw new Error(`attempt ${attempt}`);
    return attempt;
  };

describe('backoffDelayMs', () => {
  test.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [5, 1_000],
    [5_000, 1_000],
  ])('doubles up to its greatest: after attempt %i it is %i ms', (attempt, delayMs) => {
    expect(backoffDelayMs(attempt, { firstDelayMs: 100, maxDelayMs: 1_000 }, 0.5)).toBe(delayMs);
  });

  test('with jitter only ever shortens the delay, by no more than that share', () => {
    const anyNumber = fc.record({
      attempt: fc.integer({ min: 1, max: 100 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    });
    fc.assert(
      fc.property(anyNumber, ({ attempt, jitter, random }) => {
        const full = backoffDelayMs(attempt, { firstDelayMs: 50, maxDelayMs: 3_000 }, 0);
        const jittered = backoffDelayMs(attempt, { firstDelayMs: 50, maxDelayMs: 3_000, jitter }, random);
        expect(jittered).toBeLessThanOrEqual(full);
        expect(jittered).toBeGreaterThanOrEqual(Math.floor(full * (1 - jitter)));
      }),
    );
  });
});

describe('retry', () => {
  test('ends with the first success', async () => {
    await expect(retry(succeedsAt(3), { ...quick, attempts: 5 })).resolves.toBe(3);
  });

  test('throws the last error once the attempts are used up', async () => {
    await expect(retry(succeedsAt(9), { ...quick, attempts: 3 })).rejects.toThrow('attempt 3');
  });

  test('does not repeat what cannot be helped', async () => {
    await expect(retry(succeedsAt(2), { ...quick, attempts: 5, isRetryable: () => false })).rejects.toThrow('attempt 1');
  });

  test('tells each failure with its delay', async () => {
    const told: [string, number, number][] = [];
    await retry(succeedsAt(3), { ...quick, attempts: 3, onRetry: (err, attempt, delayMs) => told.push([String(err), attempt, delayMs]) });
    expect(told).toEqual([
      ['Error: attempt 1', 1, 1],
      ['Error: attempt 2', 2, 2],
    ]);
  });

  test('stops waiting when its signal fires, and throws the last error', async () => {
    const stop = new AbortController();
    const endless = { attempts: Infinity, firstDelayMs: 60_000, maxDelayMs: 60_000, signal: stop.signal, onRetry: () => stop.abort() };
    await expect(retry(succeedsAt(9), endless)).rejects.toThrow('attempt 1');
  });
});

const rule = { firstDelayMs: 200, maxDelayMs: 10_000, healthyAfterMs: 10_000 };

describe('what has ended is started again', () => {
  test.each([
    ['soon after the first failure', 0, 50, { failuresInARow: 1, delayMs: 200 }],
    ['later after each further one', 2, 50, { failuresInARow: 3, delayMs: 800 }],
    ['never later than the longest delay', 40, 50, { failuresInARow: 41, delayMs: 10_000 }],
    ['soon again when it had run well', 7, 10_000, { failuresInARow: 1, delayMs: 200 }],
    ['later when it had not run quite long enough', 7, 9_999, { failuresInARow: 8, delayMs: 10_000 }],
    ['later when it never became ready', 1, undefined, { failuresInARow: 2, delayMs: 400 }],
  ])('%s', (_, failuresInARow, ranMs, restart) => {
    expect(nextRestart(rule, failuresInARow, ranMs)).toEqual(restart);
  });
});
