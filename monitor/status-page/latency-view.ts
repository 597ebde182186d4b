import { latencyPoint, latencyWidths, type LatencyPoint, type LatencyWidth } from '../model/latency.ts';
import type { LatencyLedger } from '../store/store.ts';

/** Over what a chart of latencies goes, and how finely: a minute holds too few looks for a percentile that does not jump. */
const ranges = {
  '24h': { spanMs: 86_400_000, width: 'minute', stepMs: 300_000, sumBy: 'hour' },
  '7d': { spanMs: 7 * 86_400_000, width: 'hour', stepMs: 3_600_000, sumBy: 'hour' },
  '90d': { spanMs: 90 * 86_400_000, width: 'day', stepMs: 86_400_000, sumBy: 'day' },
} as const satisfies Record<string, { spanMs: number; width: LatencyWidth; stepMs: number; sumBy: LatencyWidth }>;

export type LatencyRange = keyof typeof ranges;
export const latencyRanges = Object.keys(ranges) as LatencyRange[];

/** The one asked for in the query of an address; else the last day. Pure. */
export const readRange = (asked: unknown): LatencyRange => latencyRanges.find((each) => each === asked) ?? '24h';

type Column = readonly (number | null)[];

/** How long the answers of a target took, as columns of equal length; null breaks a line where nothing was answered. Times in ms. */
export type LatencyView = {
  readonly target: string;
  readonly range: LatencyRange;
  /** Where the chart begins and ends, in seconds of the epoch. */
  readonly from: number;
  readonly to: number;
  /** Starts of five minutes, hours or days, in seconds of the epoch, oldest first. */
  readonly at: readonly number[];
  readonly p50: Column;
  readonly p95: Column;
  readonly longest: Column;
  /** Where the chart ends above: one bad stretch does not flatten all others, and is drawn as leaving it. */
  readonly top: number;
  /** Of the whole range; null where nothing was answered. */
  readonly whole: { readonly answers: number; readonly p50: number; readonly p95: number; readonly longest: number } | null;
};

/** @param intervalMs from one look to the next @throws {StoreError} */
export function readLatency(
  ledger: Pick<LatencyLedger, 'points' | 'sum'>,
  {
    target,
    range,
    intervalMs,
    now,
  }: { readonly target: string; readonly range: LatencyRange; readonly intervalMs: number; readonly now: number },
): LatencyView {
  const { spanMs, width, stepMs, sumBy } = ranges[range];
  const { widthMs } = latencyWidths[sumBy];
  const since = Math.floor((now - spanMs) / widthMs) * widthMs;
  const points = withBreaks(ledger.points(target, width, since, stepMs), { stepMs, intervalMs });
  const sum = latencyPoint(since, ledger.sum(target, sumBy, since));
  const column = (of: (point: LatencyPoint) => number): Column => points.map((point) => ('p50Ms' in point ? round(of(point)) : null));
  const p95 = column(({ p95Ms }) => p95Ms);
  return {
    target,
    range,
    from: since / 1_000,
    to: Math.floor(now / 1_000),
    at: points.map(({ at }) => at / 1_000),
    p50: column(({ p50Ms }) => p50Ms),
    p95,
    longest: column(({ longestMs }) => longestMs),
    top: Math.max(1, Math.min(mostOf(p95), sum.looks === 0 ? Infinity : 4 * sum.p95Ms) * 1.1),
    whole: sum.looks === 0 ? null : { answers: sum.looks, p50: round(sum.p50Ms), p95: round(sum.p95Ms), longest: round(sum.longestMs) },
  };
}

/** Where a step was left out in which somebody should have looked, a point without a value breaks the line: nothing is known of it. */
function withBreaks(
  points: readonly LatencyPoint[],
  { stepMs, intervalMs }: { readonly stepMs: number; readonly intervalMs: number },
): (LatencyPoint | { readonly at: number })[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    return before && point.at - before.at > stepMs + intervalMs ? [{ at: before.at + stepMs }, point] : [point];
  });
}

const round = (ms: number): number => Number(ms.toPrecision(3));

const mostOf = (column: Column): number => column.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
