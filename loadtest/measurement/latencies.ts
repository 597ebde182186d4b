import { decodeHistogram } from './histogram.ts';
import type { Slice } from './measurement.ts';

/** Latencies in milliseconds with how often each occurs, ascending: what is left of a histogram without its empty buckets. */
export type Latencies = readonly (readonly [ms: number, count: number])[];

const decoded = { latency: new WeakMap<Slice, Latencies>(), service: new WeakMap<Slice, Latencies>() };

/** Those of a slice, each as the most its bucket stands for; decoded once however often it is asked for. */
export const latenciesOf = (slice: Slice): Latencies => remembered(decoded.latency, slice, slice.latency);

/** The same from the sending of each request: what of it can be the target's alone. */
export const serviceTimesOf = (slice: Slice): Latencies =>
  slice.service === undefined ? latenciesOf(slice) : remembered(decoded.service, slice, slice.service);

function remembered(known: WeakMap<Slice, Latencies>, slice: Slice, encoded: string): Latencies {
  const found = known.get(slice) ?? decode(encoded);
  known.set(slice, found);
  return found;
}

function decode(encoded: string): Latencies {
  const histogram = decodeHistogram(encoded);
  const found: [number, number][] = [];
  const last = histogram.totalCount === 0 ? -1 : histogram.countsArrayIndex(histogram.maxValue);
  for (let index = 0; index <= last; index += 1) {
    const count = histogram.getCountAtIndex(index);
    if (count > 0) found.push([histogram.highestEquivalentValue(histogram.valueFromIndex(index)) / 1_000, count]);
  }
  return found;
}

export function mergeLatencies(parts: readonly Latencies[]): Latencies {
  const counts = new Map<number, number>();
  for (const part of parts) for (const [ms, count] of part) counts.set(ms, (counts.get(ms) ?? 0) + count);
  return [...counts].toSorted(([a], [b]) => a - b);
}

export const countOf = (latencies: Latencies): number => latencies.reduce((sum, [, count]) => sum + count, 0);

/** How many took longer than that. */
export const countOver = (latencies: Latencies, limitMs: number): number =>
  latencies.reduce((sum, [ms, count]) => (ms > limitMs ? sum + count : sum), 0);

/** The latency that `percentile` percent of the answers do not exceed; null when there is none. */
export function percentileOf(latencies: Latencies, percentile: number): number | null {
  let left = Math.max(1, Math.ceil((percentile / 100) * countOf(latencies)));
  for (const [ms, count] of latencies) {
    left -= count;
    if (left <= 0) return ms;
  }
  return null;
}

/** Arithmetic mean; null when there is none. */
export const meanOf = (latencies: Latencies): number | null =>
  latencies.length === 0 ? null : latencies.reduce((sum, [ms, count]) => sum + ms * count, 0) / countOf(latencies);
