import { expect, onTestFinished, test } from 'vitest';
import { addLatency, noLatency } from '#monitor/model/latency.ts';
import { latencySection } from '#monitor/status-page/latency-html.ts';
import { readLatency, readRange, type LatencyRange, type LatencyView } from '#monitor/status-page/latency-view.ts';
import { voiceOf } from '#monitor/status-page/words.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

const now = Date.parse('2026-11-26T12:00:30Z');
const minutesAgo = (minutes: number): number => Math.floor(now / 60_000) * 60_000 - minutes * 60_000;

type Minute = readonly [at: number, times: readonly number[]];

function viewOf(minutes: readonly Minute[], range: LatencyRange = '24h', intervalMs = 5_000): LatencyView {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  store.latencies.add(minutes.map(([at, times]) => ({ probe: 'api', at, sketch: times.reduce(addLatency, noLatency) })));
  return readLatency(store.latencies, { target: 'api', range, intervalMs, now });
}
const linesOf = (view: LatencyView): string =>
  latencySection(view, voiceOf('en'), { path: '/targets/api', data: '/api/latency/api' }).markup;

test('a line breaks where nothing was answered for five minutes, and not between looks that are seldom', () => {
  const every = [minutesAgo(22), minutesAgo(17), minutesAgo(2)].map((at): Minute => [at, [10]]);
  const view = viewOf(every);
  expect(view.p50).toEqual([10, 10, null, 10]);
  expect(linesOf(view).match(/<path class="p50" d="M[^M]*L[^M]*M[^M]*h\.1"/)).toHaveLength(1);
  expect(viewOf(every, '24h', 600_000).p50).toEqual([10, 10, 10]);
});

test('each range is shown as finely as it is kept, and summed up over exactly what it shows', () => {
  const minutes = [
    [minutesAgo(1), [10, 20]],
    [minutesAgo(6), [30]],
    [minutesAgo(3 * 1_440), [4_000]],
    [minutesAgo(30 * 1_440), [9_000]],
  ] as const;
  const shown = (['24h', '7d', '90d'] as const).map((range) => {
    const { at, whole } = viewOf(minutes, range);
    return [at.length, whole?.answers, whole?.longest];
  });
  expect(shown).toEqual([
    [2, 3, 30],
    [3, 4, 4_000],
    [5, 5, 9_000],
  ]);
  expect([readRange('7d'), readRange('1y'), readRange(undefined)]).toEqual(['7d', '24h', '24h']);
});

test('one very bad stretch leaves the chart instead of flattening all others, and the figures name its longest', () => {
  const usual = Array.from({ length: 60 }, (_, index): Minute => [minutesAgo(index + 1), Array.from({ length: 20 }, () => 10)]);
  const view = viewOf([...usual, [minutesAgo(1), Array.from({ length: 20 }, () => 60_000)]]);
  expect(view.top).toBeLessThan(50);
  expect(linesOf(view)).toContain('<dd>1 m</dd>');
});

test('the chart of a day shows the percentiles of all answers of five minutes, and what lies between them as a band', () => {
  const slow = minutesAgo(700);
  const whole = Math.floor(slow / 300_000) * 300_000;
  const view = viewOf(
    Array.from({ length: 1_440 }, (_, index): Minute => [minutesAgo(index + 1), minutesAgo(index + 1) === slow ? [900] : [10]]),
  );
  const index = view.at.indexOf(whole / 1_000);
  // One of five answers: it is their 95th percentile, and leaves their median as it was, to the 2.5 % it is right to.
  expect([view.p50[index], view.p95[index], view.p95[index + 1]]).toEqual([10.1, 900, 10]);
  const page = linesOf(view);
  expect(page.length).toBeLessThan(20_000);
  const points = (name: string) => (new RegExp(`class="${name}" d="([^"]*)"`).exec(page)?.[1] ?? '').match(/[ML]/g);
  expect([points('p50'), points('p95'), points('band')].map((all) => all?.length)).toEqual([288, 288, 576]);
});

test('where nothing was answered it says so', () => {
  expect(viewOf([]).whole).toBeNull();
  expect(linesOf(viewOf([]))).toContain('Nothing was answered in this time.');
});
