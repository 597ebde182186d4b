import { encodeHistogram, mergeHistograms } from './histogram.ts';
import {
  timingParts,
  type FailureKind,
  type OrderAccount,
  type Outcomes,
  type Slice,
  type TimingBand,
  type TimingPart,
} from './measurement.ts';

export const outcomeColumns = [
  'ok',
  'refused',
  'limited',
  'httpErrors',
  'wrongAnswers',
  'timeouts',
  'connectionErrors',
] as const satisfies readonly (keyof Outcomes)[];

export type Counts = { readonly sent: number } & Outcomes;

/** Sums of all counts over slices. */
export function sumCounts(slices: Iterable<Counts>): Counts {
  const sum = { sent: 0, ok: 0, refused: 0, limited: 0, httpErrors: 0, wrongAnswers: 0, timeouts: 0, connectionErrors: 0 };
  for (const slice of slices) {
    sum.sent += slice.sent;
    for (const column of outcomeColumns) sum[column] += slice[column];
  }
  return sum;
}

/** Requests that came to an end, one way or another. */
export const settledCount = (counts: Outcomes): number => outcomeColumns.reduce((sum, column) => sum + counts[column], 0);

/** Requests that ended without the right answer. 429 is kept apart: it says that the run measured the limiter. */
export const errorCount = (counts: Outcomes): number => counts.httpErrors + counts.wrongAnswers + counts.timeouts + counts.connectionErrors;

export function mergeEncoded(encoded: readonly string[]): string {
  return encoded.length === 1 && encoded[0] !== undefined ? encoded[0] : encodeHistogram(mergeHistograms(encoded));
}

/** Slices of the same second and endpoint become one; ordered by second, then endpoint. */
export function mergeSlices(slices: readonly Slice[]): Slice[] {
  const groups = Map.groupBy(slices, ({ second, endpoint }) => `${String(second).padStart(9, '0')} ${endpoint}`);
  const keys = [...groups.keys()].toSorted();
  return keys.flatMap((key) => {
    const group = groups.get(key) ?? [];
    const [first] = group;
    if (first === undefined) return [];
    const latency = mergeEncoded(group.map((slice) => slice.latency));
    return [{ second: first.second, endpoint: first.endpoint, ...sumCounts(group), latency }];
  });
}

export function mergeTimings(bands: readonly TimingBand[]): TimingBand[] {
  const groups = Map.groupBy(bands, ({ endpoint, band }) => `${band} ${endpoint}`);
  return [...groups.values()].map((group) => group.reduce(addBands));
}

const addBands = (a: TimingBand, b: TimingBand): TimingBand => ({
  ...a,
  count: a.count + b.count,
  latencySumMs: a.latencySumMs + b.latencySumMs,
  sumMs: Object.fromEntries(timingParts.map((part) => [part, a.sumMs[part] + b.sumMs[part]])) as Record<TimingPart, number>,
  impossible: a.impossible + b.impossible,
});

/** Kinds of failure seen by several processes become one; the most frequent first. */
export function mergeFailures(kinds: readonly FailureKind[]): FailureKind[] {
  const groups = Map.groupBy(kinds, ({ endpoint, outcome, status, detail }) => JSON.stringify([endpoint, outcome, status, detail]));
  const merged = [...groups.values()].map((group) => {
    const first = group.reduce((a, b) => (b.firstSecond < a.firstSecond ? b : a));
    return { ...first, count: group.reduce((sum, { count }) => sum + count, 0) };
  });
  return merged.toSorted((a, b) => b.count - a.count);
}

export function mergeOrders(accounts: readonly OrderAccount[]): OrderAccount {
  const sum = { acknowledged: 0, refused: 0, unknown: 0, keysWithTwoOrders: 0, ordersWithTwoKeys: 0, unchecked: 0 };
  for (const account of accounts) for (const key of Object.keys(sum) as (keyof OrderAccount)[]) sum[key] += account[key];
  return sum;
}
