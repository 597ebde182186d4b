import { setTimeout as sleep } from 'node:timers/promises';
import type { Fact } from '../model/look.ts';
import { readMetrics } from '../slo/read-metrics.ts';
import { increase, readTotals, type Totals } from '../slo/request-totals.ts';
import type { Shown, Source } from './source.ts';

/** Between two readings, whose difference says what goes on now. */
const betweenMs = 800;

/** What one API answered at /metrics, twice; `after` is the later one. */
type Readings = { readonly before: string; readonly after: string };

/** What the APIs show of their pools, their workers, their last start and what they answer now. Those that do not answer are named. */
export const apiMetrics = (sources: readonly URL[], token: string | undefined): Source => ({
  name: 'metrics of the API',
  look: async (signal) => {
    const readings = await Promise.allSettled(sources.map((source) => readTwice(source, token, signal)));
    const { facts, signs } = describeMetrics(readings.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])));
    const silent = sources.filter((_source, index) => readings[index]?.status === 'rejected').map(({ host }) => host);
    return {
      facts: silent.length === 0 ? facts : [...facts, ['Not seen', { code: 'metricsUnseen', hosts: silent.join(', ') }]],
      ...(signs && { signs }),
    };
  },
});

async function readTwice(source: URL, token: string | undefined, all: AbortSignal): Promise<Readings> {
  // One that hangs must not take the others' time.
  const signal = AbortSignal.any([all, AbortSignal.timeout(1_700)]);
  const before = await readMetrics(source, token, signal);
  await sleep(betweenMs, undefined, { signal });
  return { before, after: await readMetrics(source, token, signal) };
}

/** Pure. */
export function describeMetrics(readings: readonly Readings[]): Shown {
  if (readings.length === 0) return { facts: [] };
  const texts = readings.map(({ after }) => after);
  const sum = (name: string): number => texts.reduce((total, text) => total + (seriesOf(text, name) ?? 0), 0);
  const pool = {
    inUse: sum('atalaya_pool_connections{state="in_use"}'),
    most: sum('atalaya_pool_max'),
    waiting: sum('atalaya_pool_waiting'),
  };
  const starts = texts.flatMap((text) => seriesOf(text, 'process_start_time_seconds') ?? []).map((seconds) => seconds * 1_000);
  const startedAt = starts.length === 0 ? undefined : Math.max(...starts);
  const busyShare = texts.reduce((most, text) => Math.max(most, seriesOf(text, 'atalaya_event_loop_utilization') ?? 0), 0);
  const answers = answersOf(readings);
  const facts: Fact[] = [
    ['Pool', { code: 'poolIs', ...pool }],
    ['Workers', { code: 'workersAre', ready: sum('atalaya_workers_ready'), replaced: sum('atalaya_worker_restarts_total'), busyShare }],
    ...(startedAt === undefined ? [] : [['Last start', { code: 'startedAt', at: startedAt }] as const]),
    ['Answers', { code: 'answersNow', ...answers, inMs: betweenMs }],
    ...failingRoutes(texts),
  ];
  return { facts, signs: { pool, startedAt, loadTestAnswers: answers.loadTest } };
}

const totalsOf = (text: string): Totals => readTotals(text, { slowerThanSeconds: undefined });

function answersOf(readings: readonly Readings[]): { readonly customers: number; readonly bad: number; readonly loadTest: number } {
  const all = readings.map(({ before, after }) => increase(totalsOf(before), totalsOf(after)));
  return {
    customers: all.reduce((sum, { good, bad }) => sum + good + bad, 0),
    bad: all.reduce((sum, { bad }) => sum + bad, 0),
    loadTest: all.reduce((sum, { loadTest }) => sum + loadTest, 0),
  };
}

const mostRoutes = 3;
const failing = /^atalaya_http_request_duration_seconds_count\{(?![^}]*worker=)(?=[^}]*status="5)[^}]*\} (\d+)/;

/** The routes that have answered most server errors since the APIs started. */
function failingRoutes(texts: readonly string[]): Fact[] {
  const counts = new Map<string, number>();
  for (const line of texts.flatMap((text) => text.split('\n'))) {
    const count = Number(failing.exec(line)?.[1] ?? 0);
    if (count === 0) continue;
    const [, method = ''] = /method="([^"]*)"/.exec(line) ?? [];
    const [, route = ''] = /route="([^"]*)"/.exec(line) ?? [];
    const [, status = ''] = /status="([^"]*)"/.exec(line) ?? [];
    const key = `${method} ${route} ${status}`;
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
  if (counts.size === 0) return [];
  const worst = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, mostRoutes);
  return [['Server errors', { code: 'serverErrors', routes: worst.map(([key, count]) => `${count} × ${key}`).join(', ') }]];
}

/** The series of that name and those labels alone, which is the sum over all workers. */
function seriesOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
