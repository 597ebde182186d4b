import { showCount, showDuration, showShare } from '#lib/show.ts';
import type { Comparison, Spread, Total } from './rounds.ts';
import { limitedByClient, workloads, type Workload } from './play-workload.ts';
import type { BenchResult } from './run-bench.ts';

/** The result of a bench for people. */
export function showBench({ options, processes, poolMax, othersBusy, client, results }: BenchResult): string {
  const { rounds, seconds, connections } = options;
  const lines = [
    `API with all middleware beside a bare node:http + pg server: ${connections} connections, ${processes} processes each, pool of ${poolMax} each, one database, ${rounds} alternating rounds of ${seconds} s`,
    '',
    ...(Object.keys(workloads) as Workload[]).flatMap((workload) => {
      const result = results[workload];
      return result ? showWorkload(workload, result.comparison) : [];
    }),
    ...clientLines(client, results),
    ...(othersBusy > 0.3
      ? [`Other programs used up to ${showShare(othersBusy)} of this machine beside the bench: take these figures with care.`]
      : []),
    'Ratios are taken within each round; median (least to most over rounds). Client and servers share the machine, which draws throughput ratios toward 1; CPU is that of the servers alone, without the database.',
  ];
  return lines.join('\n');
}

function clientLines(client: BenchResult['client'], results: BenchResult['results']): string[] {
  if (!client) return ['The client could not be measured by itself: whether it was the limit is not known.'];
  const limited = limitedByClient(client, results);
  return [
    `The client alone reaches ${showCount(Math.round(client.requestsPerSecond))} /s against a server that does nothing.`,
    ...(limited.length === 0
      ? []
      : [`That is less than 1.5 × of these, whose throughput is therefore the client's: ${limited.join('; ')}.`]),
  ];
}

const row = (name: string, one: Total): string =>
  `  ${name.padEnd(6)} ${showSpread(one.requestsPerSecond, (value) => showCount(Math.round(value)))} /s · p99 ${showSpread(one.p99Ms, showDuration)} · CPU ${showSpread(one.cpuMs, (value) => value.toFixed(2))} ms a request · ${showCount(one.errors)} errors`;

function showWorkload(workload: Workload, { api, floor, throughputRatio, p99Ratio, cpuRatio }: Comparison): string[] {
  return [
    workloads[workload],
    row('API', api),
    row('floor', floor),
    `  ratio  throughput ${showRatio(throughputRatio)} · p99 ${showRatio(p99Ratio)} · CPU ${showRatio(cpuRatio)}`,
    '',
  ];
}

/** Median and ends; a dash for no figures. Pure. */
export const showSpread = (spread: Spread | undefined, show: (value: number) => string): string =>
  spread === undefined ? '–' : `${show(spread.median)} (${show(spread.min)}–${show(spread.max)})`;

const showRatio = (spread: Spread | undefined): string => showSpread(spread, (value) => value.toFixed(2));
