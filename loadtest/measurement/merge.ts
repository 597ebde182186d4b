import { encodeHistogram, mergeHistograms } from './histogram.ts';
import {
  timingParts,
  type Arrivals,
  type FailureKind,
  type Outcomes,
  type Slice,
  type TimingBand,
  type TimingPart,
} from './measurement.ts';
import { maxWitnesses, type Witness } from './witness.ts';

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
    const services = group.flatMap(({ service }) => service ?? []);
    const service = services.length === 0 ? {} : { service: mergeEncoded(services) };
    return [{ second: first.second, endpoint: first.endpoint, ...sumCounts(group), latency, ...service }];
  });
}

export function mergeArrivals(parts: readonly Arrivals[]): Arrivals {
  const dropped = Map.groupBy(
    parts.flatMap((part) => part.dropped),
    ([second]) => second,
  );
  return {
    due: parts.reduce((sum, { due }) => sum + due, 0),
    dropped: [...dropped].map(([second, counts]) => [second, counts.reduce((sum, [, count]) => sum + count, 0)]),
  };
}

/** Requests of these arrivals that were never sent. */
export const droppedCount = ({ dropped }: Arrivals): number => dropped.reduce((sum, [, count]) => sum + count, 0);

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

/** Kinds of failure seen by several processes become one, with the first witnesses; the most frequent first. */
export function mergeFailures(kinds: readonly FailureKind[]): FailureKind[] {
  const groups = Map.groupBy(kinds, ({ endpoint, outcome, status, fault }) => JSON.stringify([endpoint, outcome, status, fault]));
  const merged = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const witnesses = group.flatMap((kind) => kind.witnesses).toSorted((a, b) => (a.second ?? 0) - (b.second ?? 0));
    return [{ ...first, count: group.reduce((sum, { count }) => sum + count, 0), witnesses: witnesses.slice(0, maxWitnesses) }];
  });
  return merged.toSorted((a, b) => b.count - a.count);
}

/** The slowest answers of each endpoint, slowest first. */
export function mergeSlowest(witnesses: readonly Witness[]): Witness[] {
  const groups = Map.groupBy(witnesses, ({ endpoint }) => endpoint);
  return [...groups.values()].flatMap((group) => group.toSorted((a, b) => (b.latencyMs ?? 0) - (a.latencyMs ?? 0)).slice(0, maxSlowest));
}

/** Of each endpoint; enough that a window of bad seconds finds its own among them. */
export const maxSlowest = 10;
