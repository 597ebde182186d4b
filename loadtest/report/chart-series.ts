import { mergeHistograms, percentileMs } from '../measurement/histogram.ts';
import { errorCount, sumCounts } from '../measurement/merge.ts';
import type { Measurement, ServerSample, Slice } from '../measurement/measurement.ts';
import { measuredSlices, windowOf } from '../judge/figures.ts';

type Numbers = readonly (number | null)[];

/** What the charts of the report show: columns of equal length, one value a second; null leaves a gap. */
export type ChartSeries = {
  /** Of the first phase. */
  readonly warmUpSeconds: number;
  readonly latency: { readonly second: Numbers; readonly p50: Numbers; readonly p95: Numbers; readonly p99: Numbers };
  readonly traffic: { readonly second: Numbers; readonly right: Numbers; readonly wrong: Numbers };
  /** Latency by percentile, closer and closer to 100 %. */
  readonly distribution: { readonly percentile: Numbers; readonly ms: Numbers };
  readonly pool: { readonly second: Numbers; readonly inUse: Numbers; readonly capacity: Numbers; readonly waiting: Numbers };
  readonly backends: { readonly second: Numbers; readonly active: Numbers; readonly inTransaction: Numbers; readonly lockWaits: Numbers };
  readonly client: { readonly second: Numbers; readonly utilization: Numbers; readonly delayMs: Numbers };
  /** Shares in percent, and what a server that does nothing took at most. */
  readonly machine: { readonly second: Numbers; readonly busy: Numbers; readonly others: Numbers; readonly idleMs: Numbers };
  /** One column of mebibytes for each worker. */
  readonly memory: { readonly second: Numbers; readonly workers: readonly { readonly name: string; readonly mib: Numbers }[] };
};

/** Points of the percentile chart: 0 to 99.9 %, each step a tenth nearer to the end. */
const percentiles = [0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.3, 99.5, 99.7, 99.8, 99.9];

/** Pure. */
export function chartSeries(measurement: Measurement): ChartSeries {
  const bySecond = Map.groupBy(measurement.slices, ({ second }) => second);
  const seconds = Array.from({ length: Math.max(-1, ...bySecond.keys()) + 1 }, (_, second) => second);
  const slicesOf = seconds.map((second) => bySecond.get(second) ?? []);
  const counts = slicesOf.map(sumCounts);
  return {
    warmUpSeconds: measurement.phases.slice(0, 1).reduce((_, phase) => windowOf(phase).from, 0),
    latency: { second: seconds, ...latencyColumns(slicesOf, measurement.disturbed) },
    traffic: {
      second: seconds,
      right: counts.map(({ ok, refused }) => ok + refused),
      wrong: counts.map((count) => errorCount(count) + count.limited),
    },
    distribution: distribution(measurement),
    ...serverColumns(measurement),
    client: clientColumns(measurement),
    machine: machineColumns(measurement),
    memory: memoryColumns(measurement),
  };
}

function latencyColumns(slicesOf: readonly Slice[][], disturbed: readonly string[]): { p50: Numbers; p95: Numbers; p99: Numbers } {
  const histograms = slicesOf.map((slices) =>
    mergeHistograms(slices.filter(({ endpoint }) => !disturbed.includes(endpoint)).map(({ latency }) => latency)),
  );
  const column = (percentile: number): Numbers => histograms.map((histogram) => round(percentileMs(histogram, percentile)));
  return { p50: column(50), p95: column(95), p99: column(99) };
}

function distribution(measurement: Measurement): ChartSeries['distribution'] {
  const judged = measuredSlices(measurement).filter(({ endpoint }) => !measurement.disturbed.includes(endpoint));
  const histogram = mergeHistograms(judged.map(({ latency }) => latency));
  // A percentile that fewer than one answer stands for would only repeat the maximum.
  const shown = percentiles.filter((percentile) => histogram.totalCount * (1 - percentile / 100) >= 1);
  return { percentile: shown, ms: shown.map((percentile) => round(percentileMs(histogram, percentile))) };
}

function serverColumns({ samples }: Measurement): Pick<ChartSeries, 'pool' | 'backends'> {
  const pools = samples.filter(({ pool }) => pool !== null);
  const backends = samples.filter((sample) => sample.backends !== null);
  return {
    pool: {
      second: pools.map(({ second }) => second),
      inUse: pools.map(({ pool }) => pool?.inUse ?? null),
      capacity: pools.map(({ pool }) => pool?.capacity ?? null),
      waiting: pools.map(({ pool }) => pool?.waiting ?? null),
    },
    backends: {
      second: backends.map(({ second }) => second),
      active: backends.map((sample) => sample.backends?.active ?? null),
      inTransaction: backends.map((sample) => sample.backends?.idleInTransaction ?? null),
      lockWaits: backends.map((sample) => sample.backends?.waitingForLock ?? null),
    },
  };
}

/** Of several processes the busiest and the latest. */
function clientColumns({ phases }: Measurement): ChartSeries['client'] {
  const bySecond = Map.groupBy(
    phases.flatMap(({ processVitals }) => processVitals).flatMap(({ seconds }) => seconds),
    ({ second }) => second,
  );
  const seconds = [...bySecond.keys()].toSorted((a, b) => a - b);
  const worst = (read: (vitals: { utilization: number; maxDelayMs: number }) => number): Numbers =>
    seconds.map((second) => round(Math.max(...(bySecond.get(second) ?? []).map(read))));
  return { second: seconds, utilization: worst(({ utilization }) => 100 * utilization), delayMs: worst(({ maxDelayMs }) => maxDelayMs) };
}

function machineColumns({ machine }: Measurement): ChartSeries['machine'] {
  return {
    second: machine.map(({ second }) => second),
    busy: machine.map(({ cpu }) => round(cpu ? 100 * cpu.busy : undefined)),
    others: machine.map(({ cpu }) => round(cpu ? 100 * cpu.others : undefined)),
    idleMs: machine.map(({ idleAnswerMs }) => round(idleAnswerMs)),
  };
}

const sizeOf = ({ workers }: ServerSample, name: string): number | undefined =>
  workers.find(({ worker }) => worker === name)?.residentBytes;

function memoryColumns({ samples }: Measurement): ChartSeries['memory'] {
  const asked = samples.filter(({ workers }) => workers.length > 0);
  const names = [...new Set(asked.flatMap(({ workers }) => workers.map(({ worker }) => worker)))].toSorted();
  const column = (name: string): Numbers => asked.map((sample) => round((sizeOf(sample, name) ?? Number.NaN) / 2 ** 20));
  return { second: asked.map(({ second }) => second), workers: names.map((name) => ({ name, mib: column(name) })) };
}

const round = (value: number | undefined): number | null =>
  value === undefined || Number.isNaN(value) ? null : Math.round(value * 100) / 100;
