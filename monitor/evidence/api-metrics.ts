import { showShare, showTime } from '#lib/show.ts';
import type { Fact } from '../model/look.ts';
import { readMetrics } from '../slo/read-metrics.ts';
import type { Shown, Source } from './source.ts';

/** What the APIs show of their pools, their workers and their last start. Those that do not answer are named. */
export const apiMetrics = (sources: readonly URL[], token: string | undefined): Source => ({
  name: 'metrics of the API',
  look: async (signal) => {
    const read = await Promise.allSettled(sources.map((source) => readMetrics(source, token, signal)));
    const texts = read.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const silent = sources.filter((_source, index) => read[index]?.status === 'rejected').map(({ host }) => host);
    const { facts, signs } = describeMetrics(texts);
    return { facts: silent.length === 0 ? facts : [...facts, ['Not seen', `metrics of ${silent.join(', ')}`]], ...(signs && { signs }) };
  },
});

/** Pure. @param texts what each API answered at /metrics */
export function describeMetrics(texts: readonly string[]): Shown {
  if (texts.length === 0) return { facts: [] };
  const sum = (name: string): number => texts.reduce((total, text) => total + (valueOf(text, name) ?? 0), 0);
  const pool = {
    inUse: sum('atalaya_pool_connections{state="in_use"}'),
    most: sum('atalaya_pool_max'),
    waiting: sum('atalaya_pool_waiting'),
  };
  const starts = texts.flatMap((text) => valueOf(text, 'process_start_time_seconds') ?? []).map((seconds) => seconds * 1_000);
  const startedAt = starts.length === 0 ? undefined : Math.max(...starts);
  const busy = showShare(texts.reduce((most, text) => Math.max(most, valueOf(text, 'atalaya_event_loop_utilization') ?? 0), 0));
  const facts: Fact[] = [
    ['Pool', `${pool.inUse} of ${pool.most} connections in use, ${pool.waiting} wait for one`],
    ['Workers', `${sum('atalaya_workers_ready')} ready, ${sum('atalaya_worker_restarts_total')} replaced since the start, ${busy} busy`],
    ...(startedAt === undefined ? [] : [['Last start', `of an API: ${showTime(startedAt)}`] as const]),
  ];
  return { facts, signs: { pool, startedAt } };
}

/** The series of that name and those labels alone, which is the sum over all workers. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
