import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type JsHistogram } from 'hdr-histogram-js';

/** Of a kind whose counts can be read one by one. */
export type Histogram = JsHistogram;

/** Longest duration a histogram holds; anything longer is recorded as this. */
const highestUs = 600_000_000;

/** An empty histogram of durations: whole microseconds from 1 µs to 10 minutes, exact to 3 significant digits. */
export function createHistogram(): Histogram {
  // Without WebAssembly it is always of this kind.
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestUs,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    useWebAssembly: false,
  }) as JsHistogram;
}

/** Records a duration in milliseconds; below 1 µs counts as 1 µs. */
export function recordMs(histogram: Histogram, ms: number): void {
  histogram.recordValue(toUs(ms));
}

/**
 * Records a delay of something that is due every `intervalMs`: a single delay of a second then counts as the hundred
 * missed turns it is, not as one sample among many.
 */
export function recordDelayMs(histogram: Histogram, ms: number, intervalMs: number): void {
  histogram.recordValueWithExpectedInterval(toUs(ms), toUs(intervalMs));
}

const toUs = (ms: number): number => Math.min(highestUs, Math.max(1, Math.round(ms * 1_000)));

/** The value in milliseconds that `percentile` percent of the recorded ones do not exceed; undefined when empty. */
export function percentileMs(histogram: Histogram, percentile: number): number | undefined {
  return histogram.totalCount === 0 ? undefined : histogram.getValueAtPercentile(percentile) / 1_000;
}

/** Arithmetic mean in milliseconds; undefined when empty. */
export function meanMs(histogram: Histogram): number | undefined {
  return histogram.totalCount === 0 ? undefined : histogram.mean / 1_000;
}

/** Compact text of a histogram, the standard HdrHistogram encoding (V2, compressed, base64). */
export function encodeHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram);
}

export function decodeHistogram(encoded: string): Histogram {
  return decodeFromCompressedBase64(encoded, 32, false) as JsHistogram;
}

/** One histogram holding everything that the encoded ones hold. */
export function mergeHistograms(encoded: Iterable<string>): Histogram {
  const merged = createHistogram();
  for (const one of encoded) merged.add(decodeHistogram(one));
  return merged;
}
