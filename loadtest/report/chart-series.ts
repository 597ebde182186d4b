import { mergeHistograms, percentileMs } from '../measurement/histogram.ts';
import { errorCount, settledCount, sumCounts, type Counts } from '../measurement/merge.ts';
import type { Measurement, Phase, PlayedPhase, Slice } from '../measurement/measurement.ts';
import { measuredSlices, phaseAt, windowOf } from '../judge/figures.ts';

type Numbers = readonly (number | null)[];

/** What the charts of the report show: columns of equal length, one value a second; null leaves a gap. */
export type ChartSeries = {
  /** Each phase with its first second, and the first that is measured. */
  readonly phases: readonly { readonly name: string; readonly from: number; readonly measuredFrom: number }[];
  readonly latency: { readonly second: Numbers; readonly p50: Numbers; readonly p95: Numbers; readonly p99: Numbers };
  readonly traffic: { readonly second: Numbers; readonly right: Numbers; readonly wrong: Numbers };
  /** Of open loads, each second: requests that the schedule meant, that left, and that nobody was free to send. */
  readonly arrivals: { readonly second: Numbers; readonly meant: Numbers; readonly sent: Numbers; readonly dropped: Numbers };
  /** Answers 429, and all others. */
  readonly limiter: { readonly second: Numbers; readonly limited: Numbers; readonly others: Numbers };
  /** Latency by percentile, closer and closer to 100 %. */
  readonly distribution: { readonly percentile: Numbers; readonly ms: Numbers };
  readonly pool: { readonly second: Numbers; readonly inUse: Numbers; readonly capacity: Numbers; readonly waiting: Numbers };
  readonly backends: { readonly second: Numbers; readonly active: Numbers; readonly inTransaction: Numbers; readonly lockWaits: Numbers };
  readonly client: { readonly second: Numbers; readonly utilization: Numbers; readonly delayMs: Numbers };
  /** Shares in percent, and what a server that does nothing took at most. */
  readonly machine: Readonly<Record<'second' | 'own' | 'target' | 'others' | 'idleMs', Numbers>>;
};

/** Points of the percentile chart: 0 to 99.9 %, each step a tenth nearer to the end. */
const percentiles = [0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.3, 99.5, 99.7, 99.8, 99.9];

/** Pure. */
export function chartSeries(measurement: Measurement): ChartSeries {
  const bySecond = Map.groupBy(measurement.slices, ({ second }) => second);
  const seconds = Array.from({ length: Math.max(-1, ...bySecond.keys()) + 1 }, (_, second) => second);
  const slicesOf = seconds.map((second) => bySecond.get(second) ?? []);
  const counts = slicesOf.map(sumCounts);
  const isLoaded = (second: number): boolean => {
    const phase = phaseAt(measurement, second);
    return phase !== undefined && second < windowOf(phase).to;
  };
  return {
    phases: measurement.phases.map((phase) => ({ name: phase.name, from: phase.startSecond, measuredFrom: windowOf(phase).from })),
    latency: { second: seconds, ...latencyColumns(slicesOf, measurement.disturbed) },
    // What still comes after the end is no second's throughput.
    traffic: {
      second: seconds,
      right: counts.map(({ ok, refused }, second) => (isLoaded(second) ? ok + refused : null)),
      wrong: counts.map((count) => errorCount(count) + count.limited),
    },
    arrivals: arrivalColumns(measurement, seconds, counts),
    limiter: {
      second: seconds,
      limited: counts.map(({ limited }) => limited),
      others: counts.map((count) => settledCount(count) - count.limited),
    },
    distribution: distribution(measurement),
    ...serverColumns(measurement),
    client: clientColumns(measurement),
    machine: machineColumns(measurement),
  };
}

function latencyColumns(slicesOf: readonly Slice[][], disturbed: readonly string[]): { p50: Numbers; p95: Numbers; p99: Numbers } {
  const histograms = slicesOf.map((slices) =>
    mergeHistograms(slices.filter(({ endpoint }) => !disturbed.includes(endpoint)).map(({ latency }) => latency)),
  );
  const column = (percentile: number): Numbers => histograms.map((histogram) => round(percentileMs(histogram, percentile)));
  return { p50: column(50), p95: column(95), p99: column(99) };
}

function arrivalColumns(measurement: Measurement, seconds: readonly number[], counts: readonly Counts[]): ChartSeries['arrivals'] {
  const phaseOf = seconds.map((second) => phaseAt(measurement, second));
  const isOpen = (index: number): boolean => phaseOf[index]?.load.kind === 'open';
  const dropped = new Map(measurement.phases.flatMap(({ arrivals }) => arrivals?.dropped ?? []));
  const ofOpen = (value: (second: number, index: number) => number | null): Numbers =>
    seconds.map((second, index) => (isOpen(index) ? value(second, index) : null));
  return {
    second: phaseOf.some((_, index) => isOpen(index)) ? seconds : [],
    meant: ofOpen((second, index) => round(phaseOf[index] && rateIn(phaseOf[index], second))),
    sent: ofOpen((second, index) => (phaseOf[index] && second < windowOf(phaseOf[index]).to ? (counts[index]?.sent ?? 0) : null)),
    dropped: ofOpen((second) => dropped.get(second) ?? 0),
  };
}

/** Requests that a schedule means for one second of the run, from the rate in its middle; undefined after its end. */
export function rateIn({ load, startSecond, warmUpMs }: Phase & Pick<PlayedPhase, 'startSecond'>, second: number): number | undefined {
  if (load.kind !== 'open') return undefined;
  let ms = (second + 0.5 - startSecond) * 1_000 - warmUpMs;
  if (ms < 0) return load.stages[0]?.fromPerSecond;
  for (const { fromPerSecond, toPerSecond, durationMs } of load.stages) {
    if (ms < durationMs) return fromPerSecond + ((toPerSecond - fromPerSecond) * ms) / durationMs;
    ms -= durationMs;
  }
  return undefined;
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
    own: machine.map(({ cpu }) => round(cpu ? 100 * cpu.own : undefined)),
    target: machine.map(({ cpu }) => round(cpu ? 100 * (cpu.target ?? 0) : undefined)),
    others: machine.map(({ cpu }) => round(cpu ? 100 * cpu.others : undefined)),
    idleMs: machine.map(({ idleAnswerMs }) => round(idleAnswerMs)),
  };
}

const round = (value: number | undefined): number | null =>
  value === undefined || Number.isNaN(value) ? null : Math.round(value * 100) / 100;
