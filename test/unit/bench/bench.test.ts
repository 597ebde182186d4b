import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { limitedByClient } from '#bench/play-workload.ts';
import { scoreOf } from '#bench/peers/pgbench.ts';
import { compare, roundOrder, spreadOf, type Score } from '#bench/rounds.ts';

const score = (requestsPerSecond: number, more: Partial<Score> = {}): Score => ({
  requestsPerSecond,
  p50Ms: 5,
  p99Ms: 10,
  cpuMs: 1,
  requests: requestsPerSecond,
  residentBytes: 1_000,
  errors: 0,
  ...more,
});

test('rounds go there and back again, so that nobody always plays last', () => {
  const playing = ['floor', 'go', 'api'] as const;
  expect([0, 1, 2].map((round) => roundOrder(round, playing))).toEqual([
    ['floor', 'go', 'api'],
    ['api', 'go', 'floor'],
    ['floor', 'go', 'api'],
  ]);
});

test('a peer is compared with the floor as the API is, in the rounds that it played', () => {
  const rounds = [
    { api: score(10), floor: score(10), go: score(30, { cpuMs: 0.5 }) },
    { api: score(10), floor: score(10) },
  ];
  const { go, axum } = compare(rounds);
  expect([go?.throughputRatio?.median, go?.cpuRatio?.median, axum]).toEqual([3, 0.5, undefined]);
});

test('what pgbench says at its end is a score', () => {
  const text =
    'number of transactions actually processed: 1234\nnumber of failed transactions: 2 (0.1%)\ntps = 411.25 (without initial connection time)';
  expect(scoreOf(text)).toMatchObject({ requestsPerSecond: 411.25, requests: 1_234, errors: 2, p99Ms: null });
});

test('a machine that gets slower over the rounds does not change the ratio', () => {
  const rounds = [1_000, 500, 100].map((speed) => ({ api: score(speed * 0.9), floor: score(speed) }));
  const { api } = compare(rounds);
  expect(api?.throughputRatio?.min).toBeCloseTo(0.9);
  expect(api?.throughputRatio?.max).toBeCloseTo(0.9);
});

test('errors are added up, not averaged away', () => {
  const rounds = [
    { api: score(10, { errors: 3 }), floor: score(10) },
    { api: score(10, { errors: 4 }), floor: score(10, { errors: 1 }) },
  ];
  expect(compare(rounds).api?.errors).toBe(7);
  expect(compare(rounds).floor?.errors).toBe(1);
});

test('a round without answers has no ratio', () => {
  const { api } = compare([{ api: score(0, { p99Ms: null }), floor: score(0, { p99Ms: null }) }]);
  expect(api?.throughputRatio).toBeUndefined();
  expect(api?.p99Ratio).toBeUndefined();
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
