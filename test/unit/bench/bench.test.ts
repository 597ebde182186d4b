import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { limitedByClient } from '#bench/play-workload.ts';
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

test('a contender that comes near to what the client can do is named, since its figures are the client’s', () => {
  const results = {
    read: { rounds: [{ api: score(9_000), floor: score(3_000) }] },
    order: { rounds: [{ api: score(1_000), floor: score(1_000) }] },
  };
  expect(limitedByClient({ requestsPerSecond: 12_000, p99Ms: 1 }, results)).toEqual(['api, GET one product']);
  expect(limitedByClient({ requestsPerSecond: 13_500, p99Ms: 1 }, results)).toEqual([]);
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
