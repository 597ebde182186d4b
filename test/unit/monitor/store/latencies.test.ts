import { expect, onTestFinished, test } from 'vitest';
import { addLatency, noLatency, type MinuteOfLatency } from '#monitor/model/latency.ts';
import { openDatabase, StoreError } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import type { LatencyLedger } from '#monitor/store/store.ts';

const dayMs = 86_400_000;
const now = Date.parse('2026-11-26T12:30:00Z');
const today = Date.parse('2026-11-26T00:00:00Z');
const minute = (at: number, times: readonly number[], probe = 'api'): MinuteOfLatency => ({
  probe,
  at,
  sketch: times.reduce(addLatency, noLatency),
});

function openLedger(): LatencyLedger {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  return store.latencies;
}

test('minutes are summed up to hours and days of UTC, also what comes later to the same minute', () => {
  const ledger = openLedger();
  ledger.add([minute(today + 59 * 60_000, [10]), minute(today + 60 * 60_000, [20, 30]), minute(today, [9_000], 'site')]);
  ledger.add([minute(today + 60 * 60_000, [400])]);
  const shown = (width: 'minute' | 'hour' | 'day') =>
    ledger.points('api', width, 0).map(({ at, looks, longestMs }) => [(at - today) / 60_000, looks, longestMs]);
  expect(shown('minute')).toEqual([
    [59, 1, 10],
    [60, 3, 400],
  ]);
  expect(shown('hour')).toEqual([
    [0, 1, 10],
    [60, 3, 400],
  ]);
  expect(shown('day')).toEqual([[0, 4, 400]]);
  expect(ledger.points('api', 'day', 0)[0]?.p50Ms).toBeCloseTo(20, -0.5);
});

test('two days of minutes, 30 of hours and 400 of days are kept', () => {
  const ledger = openLedger();
  ledger.add([0, 1, 2, 3, 30, 31, 400, 401].map((back) => minute(now - back * dayMs, [5])));
  ledger.forget(now);
  const kept = (width: 'minute' | 'hour' | 'day') => ledger.points('api', width, 0).map(({ at }) => Math.floor((now - at) / dayMs));
  expect(kept('minute')).toEqual([2, 1, 0]);
  expect(kept('hour')).toEqual([3, 2, 1, 0]);
  expect(kept('day')).toEqual([31, 30, 3, 2, 1, 0]);
});

test('a store that is closed says so', () => {
  const store = createStore(openDatabase(':memory:'));
  store.close();
  expect(() => store.latencies.add([minute(0, [1])])).toThrow(StoreError);
  expect(() => store.latencies.points('api', 'day', 0)).toThrow(StoreError);
});
