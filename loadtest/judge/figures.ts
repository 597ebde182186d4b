import { mergeHistograms, meanMs, percentileMs } from '../measurement/histogram.ts';
import { errorCount, settledCount, sumCounts, type Counts } from '../measurement/merge.ts';
import { slowEndpoint, type Measurement, type Slice } from '../measurement/measurement.ts';

export type LatencyFigures = {
  readonly count: number;
  /** Null when nothing was answered. */
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
};

export type EndpointFigures = {
  readonly endpoint: string;
  readonly counts: Counts;
  readonly latency: LatencyFigures;
  /** False for a disturbance mixed in on purpose: what it does to the others is judged, not its own latency. */
  readonly isJudged: boolean;
};

export type Figures = {
  /** Latency in the measured window, over all judged endpoints. */
  readonly latency: LatencyFigures;
  /** Whole run, warm-up included: an error is an error whenever it happens. */
  readonly counts: Counts;
  readonly errorRate: number;
  /** Right answers a second in the measured window. */
  readonly throughput: number;
  readonly endpoints: readonly EndpointFigures[];
};

export const warmUpSeconds = (measurement: Measurement): number => Math.ceil(measurement.profile.warmUpMs / 1_000);

/** Slices after warm-up. Answers that came after the last request was sent belong to them: those are the slowest. */
export const measuredSlices = (measurement: Measurement): Slice[] =>
  measurement.slices.filter(({ second }) => second >= warmUpSeconds(measurement));

export const isJudged = (endpoint: string): boolean => endpoint !== slowEndpoint;

/** The figures that judges and reports share. Pure. */
export function figuresOf(measurement: Measurement): Figures {
  const counts = sumCounts(measurement.slices);
  const measured = measuredSlices(measurement);
  const settled = settledCount(counts);
  const endpoints = Map.groupBy(measured, ({ endpoint }) => endpoint);
  const windowEnd = warmUpSeconds(measurement) + measurement.profile.durationMs / 1_000;
  const inWindow = sumCounts(measured.filter(({ second }) => second < windowEnd));
  return {
    latency: latencyFigures(measured.filter(({ endpoint }) => isJudged(endpoint))),
    counts,
    errorRate: settled === 0 ? 0 : errorCount(counts) / settled,
    throughput: (inWindow.ok + inWindow.refused) / (measurement.profile.durationMs / 1_000),
    endpoints: [...endpoints.entries()]
      .map(([endpoint, slices]) => ({
        endpoint,
        counts: sumCounts(measurement.slices.filter((slice) => slice.endpoint === endpoint)),
        latency: latencyFigures(slices),
        isJudged: isJudged(endpoint),
      }))
      .toSorted((a, b) => b.counts.sent - a.counts.sent),
  };
}

export function latencyFigures(slices: readonly Slice[]): LatencyFigures {
  const histogram = mergeHistograms(slices.map(({ latency }) => latency));
  const at = (percentile: number): number | null => percentileMs(histogram, percentile) ?? null;
  return {
    count: histogram.totalCount,
    meanMs: meanMs(histogram) ?? null,
    p50Ms: at(50),
    p90Ms: at(90),
    p95Ms: at(95),
    p99Ms: at(99),
    maxMs: at(100),
  };
}
