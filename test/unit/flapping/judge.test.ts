import { describe, expect, test } from 'vitest';
import { judgeCaller, total, type Asked } from '#test/flapping/judge.ts';

const window = { limit: 2, periodMs: 1_000 };
const at = (sentMs: number, status = 200, tookMs = 10): Asked => ({ sentMs, answeredMs: sentMs + tookMs, status });

describe('one caller', () => {
  test('who got the limit in each window, no more and no less, has nothing to complain of', () => {
    const asked = [at(0), at(1), at(500, 429), at(1_001), at(1_002), at(1_003, 429)];
    expect(judgeCaller(asked, window)).toMatchObject({ asked: 6, admitted: 4, fullest: 2, over: 0, ideal: 4, under: 0, failed: 0 });
  });

  test('who got more in one window is a witness, only when all of them lie in it for certain', () => {
    expect(judgeCaller([at(0), at(400), at(900)], window)).toMatchObject({ fullest: 3, over: 1 });
    expect(judgeCaller([at(0), at(400), at(900, 200, 200)], window), 'it may have been let in after the end').toMatchObject({ over: 0 });
  });

  test('who got less is one too, by what an exact limiter had let in of the same', () => {
    const asked = [at(0), at(1), at(1_100, 429), at(1_200, 429), at(1_300), at(1_400, 503)];
    expect(judgeCaller(asked, window)).toMatchObject({ admitted: 3, ideal: 4, under: 0.25, failed: 1 });
  });

  test('is one of several: the worst counts for what may never be, the sum for what is a part', () => {
    const [calm, cheated] = [judgeCaller([at(0), at(1)], window), judgeCaller([at(0), at(400), at(900)], window)];
    expect(total([calm, cheated])).toMatchObject({ asked: 5, admitted: 5, over: 1, ideal: 4, under: 0 });
  });
});
