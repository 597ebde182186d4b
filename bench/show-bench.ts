import { showBytes, showCount, showDuration, showShare } from '#lib/show.ts';
import { contenders, type Comparison, type Spread, type Total } from './rounds.ts';
import { limitedByClient, workloads, type Workload } from './play-workload.ts';
import type { BenchResult } from './run-bench.ts';

/** The result of a bench for people. */
export function showBench({ options, processes, poolMax, othersBusy, client, results, absent }: BenchResult): string {
  const { rounds, seconds, connections } = options;
  const lines = [
    `The API with all middleware beside a bare node:http + pg server, the floor: ${connections} connections, ${processes} processes each, pool of ${poolMax} each, one database, ${rounds} alternating rounds of ${seconds} s`,
    '',
    ...(Object.keys(workloads) as Workload[]).flatMap((workload) => {
      const result = results[workload];
      return result ? showWorkload(workload, result.comparison) : [];
    }),
    ...absent.map((reason) => `Not here: ${reason}.`),
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
  `  ${name.padEnd(8)} ${showSpread(one.requestsPerSecond, (value) => showCount(Math.round(value)))} /s · p99 ${showSpread(one.p99Ms, showDuration)} · CPU ${showSpread(one.cpuMs, (value) => value.toFixed(3))} ms a request · memory ${showSpread(one.residentBytes, showBytes)} · ${showCount(one.errors)} errors`;

const ratioRow = (name: string, { throughputRatio, p99Ratio, cpuRatio }: Total): string =>
  `  ${name.padEnd(8)} × floor: throughput ${showRatio(throughputRatio)} · p99 ${showRatio(p99Ratio)} · CPU ${showRatio(cpuRatio)}`;

const totalsOf = (comparison: Comparison): [string, Total][] =>
  contenders.flatMap((name) => (comparison[name] ? [[name, comparison[name]] as [string, Total]] : []));

function showWorkload(workload: Workload, comparison: Comparison): string[] {
  const totals = totalsOf(comparison);
  return [
    workloads[workload],
    ...totals.map(([name, total]) => row(name, total)),
    ...totals.flatMap(([name, total]) => (name === 'floor' ? [] : [ratioRow(name, total)])),
    '',
  ];
}

/** The ratios as a Markdown table, for docs/performance.md. */
export function showBenchTable({ results, absent }: BenchResult): string {
  const cells = (workload: Workload): string[] =>
    totalsOf(results[workload]?.comparison ?? {}).map(
      ([name, one]) =>
        `| ${workloads[workload]} | ${name} | ${showSpread(one.requestsPerSecond, (value) => showCount(Math.round(value)))} | ${showRatio(one.throughputRatio)} | ${showRatio(one.cpuRatio)} | ${showRatio(one.p99Ratio)} | ${one.residentBytes ? showBytes(one.residentBytes.median) : '–'} |`,
    );
  return [
    '| request | server | a second | throughput, × floor | CPU of a request, × floor | p99, × floor | memory |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...(Object.keys(workloads) as Workload[]).flatMap(cells),
    ...absent.map((reason) => `\nNot here: ${reason}.`),
  ].join('\n');
}

/** Median and ends; a dash for no figures. Pure. */
export const showSpread = (spread: Spread | undefined, show: (value: number) => string): string =>
  spread === undefined ? '–' : `${show(spread.median)} (${show(spread.min)}–${show(spread.max)})`;

export const showRatio = (spread: Spread | undefined): string => showSpread(spread, (value) => value.toFixed(2));
