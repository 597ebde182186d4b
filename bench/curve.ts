import { showCount, showDuration } from '#lib/show.ts';
import type { Workload } from './play-workload.ts';
import { runBench, type BenchOptions, type BenchResult } from './run-bench.ts';
import { showRatio, showSpread } from './show-bench.ts';

/** What changes along a curve: how many connections ask, or how many workers answer. */
export type Along = 'connections' | 'workers';

const points: Readonly<Record<Along, readonly number[]>> = {
  connections: [50, 200, 800, 2_000],
  workers: [1, 2, 4],
};

export type CurvePoint = { readonly value: number; readonly result: BenchResult };

/** Plays one kind of request at each point, a stack and a floor of that size for each. */
export async function runCurve(along: Along, options: BenchOptions): Promise<CurvePoint[]> {
  const curve: CurvePoint[] = [];
  for (const value of points[along]) {
    const onProgress = (text: string): void => options.onProgress(`${showCount(value)} ${along}: ${text}`);
    const env = along === 'workers' ? { ...options.env, API_WORKERS: String(value) } : options.env;
    const connections = along === 'connections' ? value : options.connections;
    curve.push({ value, result: await runBench({ ...options, env, connections, onProgress }) });
  }
  return curve;
}

/** The API along the curve, and as multiples of the floor there, as a Markdown table. Pure. */
export function showCurve(along: Along, workload: Workload, curve: readonly CurvePoint[]): string {
  const rows = curve.map(({ value, result }) => {
    const api = result.results[workload]?.comparison.api;
    const figures = [
      showSpread(api?.requestsPerSecond, (count) => showCount(Math.round(count))),
      showSpread(api?.p99Ms, showDuration),
      showRatio(api?.throughputRatio),
      showRatio(api?.cpuRatio),
    ];
    return `| ${showCount(value)} | ${figures.join(' | ')} | ${showCount(api?.errors ?? 0)} |`;
  });
  return [
    `| ${along} | a second | p99 | throughput, × floor | CPU, × floor | errors |`,
    '| ---: | --- | --- | --- | --- | ---: |',
    ...rows,
  ].join('\n');
}
