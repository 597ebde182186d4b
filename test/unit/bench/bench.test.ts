import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStat } from '#loadtest/observe/process-cpu.ts';
import { compare, roundOrder, spreadOf, type Score } from '#bench/rounds.ts';

const score = (requestsPerSecond: number, more: Partial<Score> = {}): Score => ({
  requestsPerSecond,
  p50Ms: 5,
  p99Ms: 10,
  cpuMs: 1,
  requests: requestsPerSecond,
  errors: 0,
  ...more,
});

test('the two take turns in who goes first', () => {
  expect([0, 1, 2, 3].map((round) => roundOrder(round)[0])).toEqual(['floor', 'api', 'floor', 'api']);
  for (const round of [0, 1]) expect(roundOrder(round).toSorted()).toEqual(['api', 'floor']);
});

test('a machine that gets slower over the rounds does not change the ratio', () => {
  const rounds = [1_000, 500, 100].map((speed) => ({ api: score(speed * 0.9), floor: score(speed) }));
  const { throughputRatio } = compare(rounds);
  expect(throughputRatio?.min).toBeCloseTo(0.9);
  expect(throughputRatio?.max).toBeCloseTo(0.9);
});

test('errors are added up, not averaged away', () => {
  const rounds = [
    { api: score(10, { errors: 3 }), floor: score(10) },
    { api: score(10, { errors: 4 }), floor: score(10, { errors: 1 }) },
  ];
  expect(compare(rounds).api.errors).toBe(7);
  expect(compare(rounds).floor.errors).toBe(1);
});

test('a round without answers has no ratio', () => {
  const { throughputRatio, p99Ratio } = compare([{ api: score(0, { p99Ms: null }), floor: score(0, { p99Ms: null }) }]);
  expect(throughputRatio).toBeUndefined();
  expect(p99Ratio).toBeUndefined();
});

test('reads CPU time and parent of a process, whatever its name', () => {
  const stat = '4242 (odd) name)) S 17 4242 4242 0 -1 4194560 900 0 0 0 123 45 0 0 20 0 11 0 999';
  expect(parseStat(stat)).toEqual({ pid: 4242, parent: 17, name: 'odd) name)', cpuTicks: 168 });
  expect(parseStat('')).toBeUndefined();
});

test('a spread has its median between its ends', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
  expect(spreadOf([4, 1, 2, 3])).toEqual({ min: 1, median: 2.5, max: 4 });
  expect(spreadOf([])).toBeUndefined();
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
      const spread = spreadOf(values);
      expect(spread?.min).toBeLessThanOrEqual(spread?.median ?? Number.NaN);
      expect(spread?.median).toBeLessThanOrEqual(spread?.max ?? Number.NaN);
    }),
  );
});
