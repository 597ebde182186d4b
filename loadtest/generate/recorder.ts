import { performance } from 'node:perf_hooks';
import { createHistogram, encodeHistogram, recordMs, type Histogram } from '../measurement/histogram.ts';
import { maxSlowest } from '../measurement/merge.ts';
import type { Outcome, Outcomes, Slice } from '../measurement/measurement.ts';

/** Counts what happens, second by second and endpoint by endpoint, in constant memory: a finished second is handed on. */
export type Recorder = {
  /** @returns the second it is counted in */
  readonly sent: (endpoint: string) => number;
  /**
   * @returns the second it is counted in
   * @param ms how long it took, from the moment meant for it; for a timeout, at least the timeout
   * @param serviceMs the same from its sending; default: that was the moment
   */
  readonly settled: (endpoint: string, outcome: Outcome, ms: number, serviceMs?: number) => number;
  readonly second: () => number;
  /** Whether an answer of this endpoint that took that long is among the slowest so far; it then counts among them. */
  readonly isSlow: (endpoint: string, ms: number) => boolean;
  /** Slices of the seconds that are over, or of all when `final`. */
  readonly take: (final?: boolean) => Slice[];
};

type Tally = { sent: number } & { -readonly [K in keyof Outcomes]: number } & { latency: Histogram; service: Histogram | undefined };

const columnOf: Record<Outcome, keyof Outcomes> = {
  ok: 'ok',
  refused: 'refused',
  limited: 'limited',
  'http-error': 'httpErrors',
  'wrong-answer': 'wrongAnswers',
  timeout: 'timeouts',
  'connection-error': 'connectionErrors',
};

/** Errors answered fast must not make the service look fast, so only these outcomes count for latency. */
const timed: ReadonlySet<Outcome> = new Set(['ok', 'refused', 'timeout']);

export type RecorderOptions = {
  /** Seconds of the run before this one begins to count. */
  readonly startSecond: number;
  /** Whether moments meant and moments of sending can differ, so that both are counted from. */
  readonly isScheduled: boolean;
  readonly now?: () => number;
};

export function createRecorder({ startSecond, isScheduled, now = () => performance.now() }: RecorderOptions): Recorder {
  const startedMs = now();
  const currentSecond = (): number => startSecond + Math.floor((now() - startedMs) / 1_000);
  const slowestMs = new Map<string, number[]>();
  let second = startSecond;
  let open = new Map<string, Tally>();
  let finished: Slice[] = [];

  const tally = (endpoint: string): Tally => {
    const current = currentSecond();
    if (current !== second) close(current);
    const known = open.get(endpoint);
    if (known) return known;
    const fresh = emptyTally(isScheduled);
    open.set(endpoint, fresh);
    return fresh;
  };
  const close = (next: number): void => {
    for (const [endpoint, { latency, service, ...counts }] of open) {
      const histograms = { latency: encodeHistogram(latency), ...(service && { service: encodeHistogram(service) }) };
      finished.push({ second, endpoint, ...counts, ...histograms });
    }
    open = new Map();
    second = next;
  };

  return {
    sent: (endpoint) => {
      tally(endpoint).sent += 1;
      return second;
    },
    settled: (endpoint, outcome, ms, serviceMs = ms) => {
      const counts = tally(endpoint);
      counts[columnOf[outcome]] += 1;
      if (timed.has(outcome)) {
        recordMs(counts.latency, ms);
        if (counts.service) recordMs(counts.service, serviceMs);
      }
      return second;
    },
    second: currentSecond,
    isSlow: (endpoint, ms) => {
      const known = slowestMs.get(endpoint) ?? [];
      if (known.length >= maxSlowest && ms <= (known[0] ?? 0)) return false;
      slowestMs.set(endpoint, [...known, ms].toSorted((a, b) => a - b).slice(-maxSlowest));
      return true;
    },
    take: (final = false) => {
      if (final) close(second + 1);
      const taken = finished;
      finished = [];
      return taken;
    },
  };
}

const emptyTally = (isScheduled: boolean): Tally => ({
  sent: 0,
  ok: 0,
  refused: 0,
  limited: 0,
  httpErrors: 0,
  wrongAnswers: 0,
  timeouts: 0,
  connectionErrors: 0,
  latency: createHistogram(),
  service: isScheduled ? createHistogram() : undefined,
});
