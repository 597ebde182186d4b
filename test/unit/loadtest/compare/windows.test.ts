import { expect, test } from 'vitest';
import { playedOf, windowOf, type MeasuredRound } from '#loadtest/compare/windows.ts';
import { inAll } from '#loadtest/judge/rounds.ts';
import { healthyMeasurement, histogramOf, many, orderSlice, slice, withPhase } from '../build-measurement.ts';

const round = (changes: Partial<MeasuredRound> = {}): MeasuredRound => ({
  isSwapped: false,
  a: healthyMeasurement(),
  b: healthyMeasurement(),
  ...changes,
});
const witness = { says: 'total is 9.99, expected 10.00', about: { order: 17 } };
const wrong = withPhase({
  failures: [{ endpoint: 'POST /orders', outcome: 'wrong-answer', status: 201, fault: 'order-total', count: 1, witnesses: [witness] }],
});
const lost = withPhase({ lost: ['process 1 ended early (SIGKILL)'] });
const running = (effective: Readonly<Record<string, unknown>> | null) =>
  healthyMeasurement({ target: { ...healthyMeasurement().target, effective } });

test('a window has the figures of each endpoint and of all of them, errors of the warm-up included', () => {
  const slices = [
    slice(0, [], { timeouts: 2 }),
    ...[5, 6, 7].flatMap((second) => [slice(second, many(90, 10)), orderSlice(second, many(10, 100))]),
  ];
  const window = windowOf(healthyMeasurement({ slices }));
  expect(window[inAll]).toMatchObject({ answers: 300, errors: 2, settled: 302 });
  expect(window[inAll]?.p50Ms).toBeCloseTo(10, 1);
  expect(window['GET /products/:id']).toMatchObject({ answers: 270, perSecond: null });
  expect(window['POST /orders']?.p50Ms).toBeCloseTo(100, 0);
});

test('healthy windows leave nothing to say but their figures', () => {
  const played = playedOf([round(), round({ isSwapped: true })], []);
  expect(played.circumstances).toEqual({ problems: [], defects: [] });
  expect(played.rounds.map(({ isSwapped }) => isSwapped)).toEqual([false, true]);
});

test('what B answers wrongly is a defect of B, named with its round', () => {
  const { problems, defects } = playedOf([round(), round({ b: wrong })], []).circumstances;
  expect(problems).toEqual([]);
  expect(defects).toEqual([expect.stringMatching(/^B, round 2: .+; order 17 · total is 9\.99, expected 10\.00/)]);
});

test('what A answers wrongly makes A no measure', () => {
  const { problems, defects } = playedOf([round({ a: wrong })], []).circumstances;
  expect(problems).toEqual([expect.stringMatching(/^A, round 1: .+/)]);
  expect(defects).toEqual([]);
});

test('a generator that was lost is a problem, once, with the first rounds it was lost in', () => {
  const { problems } = playedOf(
    [1, 2, 3, 4, 5].map(() => round({ b: lost })),
    [],
  ).circumstances;
  expect(problems).toContainEqual(expect.stringMatching(/^B, round 1, 2, 3 and 2 more: process 1 ended early \(SIGKILL\)/));
});

type Settings = Parameters<typeof running>[0];
const settings = (a: Settings, b: Settings) => playedOf([round({ a: running(a), b: running(b) })], ['DB_POOL_SIZE']).circumstances.problems;

test('what the client is late by in its pauses it is late by on both sides: that is no problem', () => {
  const late = withPhase({ sendLag: histogramOf(...many(100, 900)) });
  expect(playedOf([round({ a: late, b: late })], []).circumstances.problems).toEqual([]);
});

test('a setting that is the same on both sides compares nothing', () => {
  expect(settings({ DB_POOL_SIZE: 5 }, { DB_POOL_SIZE: 5 })).toEqual(['DB_POOL_SIZE is 5 on both sides']);
  expect(settings({}, {})).toEqual(['DB_POOL_SIZE is not known to the API on both sides']);
  expect(settings({ DB_POOL_SIZE: 5 }, { DB_POOL_SIZE: 6 })).toEqual([]);
  expect(settings(null, { DB_POOL_SIZE: 5 })).toEqual([]);
});
