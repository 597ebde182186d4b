import { describe, expect, test } from 'vitest';
import { nextRestart } from '#lib/restart.ts';

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
