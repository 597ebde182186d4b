import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leastSoakSeconds, paceAt, sizesOf, verdictOn, type Look } from '#test/torture/soak.ts';

const mebibyte = 2 ** 20;

/** A process looked at every five seconds for ten minutes, whose heap is as `heapAt` says. */
const looksOf = (heapAt: (second: number) => number): Look[] =>
  Array.from({ length: 120 }, (_, index) => ({
    process: 'worker 1',
    second: 5 * index,
    heapBytes: heapAt(5 * index),
    residentBytes: 200 * mebibyte,
  }));

const heapOf = (looks: readonly Look[]) => sizesOf(looks, 600).find(({ figure }) => figure === 'heap')!;

/** Up to that many bytes, another each time. */
const noise = (second: number, bytes: number): number => ((second * 7_919) % 1_000) * (bytes / 1_000);

describe('the soak', () => {
  test('tells a heap that grows by a kilobyte a second from one that goes up and down by a megabyte', () => {
    const flat = heapOf(looksOf((second) => 40 * mebibyte + noise(second, mebibyte)));
    const growing = heapOf(looksOf((second) => 40 * mebibyte + noise(second, mebibyte / 8) + 1_024 * second));
    expect([verdictOn(flat), verdictOn(growing)]).toEqual(['flat', 'GROWS']);
    expect(flat.slope.least).toBeLessThanOrEqual(0);
    expect(flat.slope.most).toBeGreaterThanOrEqual(0);
  });

  test('has code compiled before it looks: for a fifth of the time nobody waits', () => {
    expect([0, 0.19, 0.2, 1].map((share) => paceAt(share, 200))).toEqual([Infinity, Infinity, 200, 200]);
  });

  test('lets a process grow while it warms up, and shrink', () => {
    const warming = looksOf((second) => 40 * mebibyte + Math.min(second, 150) * mebibyte + noise(second, mebibyte));
    const shrinking = looksOf((second) => 40 * mebibyte - 10_240 * second);
    expect([verdictOn(heapOf(warming)), verdictOn(heapOf(shrinking))]).toEqual(['flat', 'flat']);
  });

  test('does not take one step that stays for growth, however often it was looked at, and takes steps that go on', () => {
    const once = looksOf((second) => 40 * mebibyte + (second > 500 ? mebibyte : 0) + noise(second, 1_024));
    const again = looksOf((second) => 40 * mebibyte + Math.floor(second / 60) * (mebibyte / 8) + noise(second, 1_024));
    expect([verdictOn(heapOf(once)), verdictOn(heapOf(again))]).toEqual(['flat', 'GROWS']);
  });

  test('tells nothing of what was looked at for too short a time, which no soak that may be asked for is', () => {
    const growing = looksOf((second) => 40 * mebibyte + 1_024 * second);
    const until = (endSecond: number) =>
      sizesOf(
        growing.filter(({ second }) => second < endSecond),
        endSecond,
      ).map(verdictOn);
    expect([until(300)[0], until(leastSoakSeconds)[0]]).toEqual(['too short', 'GROWS']);
  });

  test('finds the slope of a straight line within its interval', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10_000, max: 10_000 }), (bytesPerSecond) => {
        const { slope } = heapOf(looksOf((second) => 40 * mebibyte + bytesPerSecond * second));
        expect(slope).toEqual({ least: bytesPerSecond, median: bytesPerSecond, most: bytesPerSecond });
      }),
      { examples: [[0]] },
    );
  });
});
