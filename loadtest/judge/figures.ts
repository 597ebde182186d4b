import { attributeLatency, type Attribution } from './attribution.ts';
import { countOf, latenciesOf, meanOf, mergeLatencies, percentileOf } from '../measurement/latencies.ts';
import { errorCount, settledCount, sumCounts, type Counts } from '../measurement/merge.ts';
import type { Measurement, PlayedPhase, Slice } from '../measurement/measurement.ts';

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
  /** Where the time of its slowest 1 % went, by the server's own account; null where it gave none. */
  readonly attribution: Attribution | null;
  /** False for a disturbance mixed in on purpose: what it does to the others is judged, not its own latency. */
  readonly isJudged: boolean;
};

export type Figures = {
  /** Latency in the measured window, over all judged endpoints (`timedSlices`). */
  readonly latency: LatencyFigures;
  /** Whole run, warm-up included: an error is an error whenever it happens. */
  readonly counts: Counts;
  readonly errorRate: number;
  /** Right answers a second in the measured window. */
  readonly throughput: number;
  readonly endpoints: readonly EndpointFigures[];
};

/** A figure of the scenario's own, such as how many orders were placed. */
export type Highlight = { readonly label: string; readonly value: string; readonly note: string };

/** First second of a phase that is measured, and the first after its end. */
export function windowOf({ startSecond, warmUpMs, durationMs }: PlayedPhase): { from: number; to: number } {
  const from = startSecond + Math.ceil(warmUpMs / 1_000);
  return { from, to: from + durationMs / 1_000 };
}

/** The phase that a second of the run belongs to. Answers that come after its last request was sent are still its own. */
export const phaseAt = ({ phases }: Measurement, second: number): PlayedPhase | undefined =>
  phases.findLast(({ startSecond }) => startSecond <= second);

/** Whether no user ever pauses: then latency is users ÷ throughput, whoever is tested. */
export const isSaturating = ({ phases }: Measurement): boolean => phases.every(({ load }) => load.kind === 'saturating');

/**
 * Slices after warm-up. Answers that came after the last request was sent belong to them: those are the slowest.
 * @param isMeant which phases count
 */
export const measuredSlices = (measurement: Measurement, isMeant: (phase: PlayedPhase) => boolean = () => true): Slice[] =>
  measurement.slices.filter(({ second }) => {
    const phase = phaseAt(measurement, second);
    return phase !== undefined && second >= windowOf(phase).from && isMeant(phase);
  });

/** Slices whose latency is judged: not of endpoints slowed on purpose, nor, when others pause, of users who never do. */
export const timedSlices = (measurement: Measurement): Slice[] =>
  measuredSlices(measurement, ({ load }) => load.kind !== 'saturating' || isSaturating(measurement)).filter(
    ({ endpoint }) => !measurement.disturbed.includes(endpoint),
  );

const made = new WeakMap<Measurement, Figures>();

/** The figures that judges and reports share; made once for each measurement. */
export function figuresOf(measurement: Measurement): Figures {
  const known = made.get(measurement) ?? makeFigures(measurement);
  made.set(measurement, known);
  return known;
}

function makeFigures(measurement: Measurement): Figures {
  const counts = sumCounts(measurement.slices);
  const measured = measuredSlices(measurement);
  const settled = settledCount(counts);
  const endpoints = Map.groupBy(measured, ({ endpoint }) => endpoint);
  const timings = Map.groupBy(
    measurement.phases.flatMap(({ serverTimings }) => serverTimings),
    ({ endpoint }) => endpoint,
  );
  const windows = measurement.phases.map(windowOf);
  const inWindow = sumCounts(measured.filter(({ second }) => windows.some(({ from, to }) => second >= from && second < to)));
  const windowSeconds = windows.reduce((sum, { from, to }) => sum + to - from, 0);
  return {
    latency: latencyFigures(timedSlices(measurement)),
    counts,
    errorRate: settled === 0 ? 0 : errorCount(counts) / settled,
    throughput: windowSeconds === 0 ? 0 : (inWindow.ok + inWindow.refused) / windowSeconds,
    endpoints: [...endpoints]
      .map(([endpoint, slices]) => ({
        endpoint,
        counts: sumCounts(measurement.slices.filter((slice) => slice.endpoint === endpoint)),
        latency: latencyFigures(slices),
        attribution: attributeLatency(timings.get(endpoint) ?? [], 0.01) ?? null,
        isJudged: !measurement.disturbed.includes(endpoint),
      }))
      .toSorted((a, b) => b.counts.sent - a.counts.sent),
  };
}

function latencyFigures(slices: readonly Slice[]): LatencyFigures {
  const latencies = mergeLatencies(slices.map(latenciesOf));
  return {
    count: countOf(latencies),
    meanMs: meanOf(latencies),
    p50Ms: percentileOf(latencies, 50),
    p90Ms: percentileOf(latencies, 90),
    p95Ms: percentileOf(latencies, 95),
    p99Ms: percentileOf(latencies, 99),
    maxMs: percentileOf(latencies, 100),
  };
}
