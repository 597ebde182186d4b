import { performance } from 'node:perf_hooks';
import { createHistogram, encodeHistogram, recordMs, type Histogram } from '../measurement/histogram.ts';
import type { Outcomes, Slice } from '../measurement/measurement.ts';
import type { Outcome } from '../scenarios/shop/answers.ts';

/** Counts what happens, second by second and endpoint by endpoint, in constant memory: a finished second is handed on. */
export type Recorder = {
  readonly sent: (endpoint: string) => void;
  /** @param ms how long it took; for a timeout, the timeout */
  readonly settled: (endpoint: string, outcome: Outcome, ms: number) => void;
  readonly second: () => number;
  /** Slices of the seconds that are over, or of all when `final`. */
  readonly take: (final?: boolean) => Slice[];
};

type Tally = { sent: number } & { -readonly [K in keyof Outcomes]: number } & { latency: Histogram };

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

export function createRecorder(now: () => number = () => performance.now()): Recorder {
  const startedMs = now();
  let second = 0;
  let open = new Map<string, Tally>();
  let finished: Slice[] = [];

  const tally = (endpoint: string): Tally => {
    const current = Math.floor((now() - startedMs) / 1_000);
    if (current !== second) close(current);
    const known = open.get(endpoint);
    if (known) return known;
    const fresh = emptyTally();
    open.set(endpoint, fresh);
    return fresh;
  };
  const close = (next: number): void => {
    for (const [endpoint, { latency, ...counts }] of open)
      finished.push({ second, endpoint, ...counts, latency: encodeHistogram(latency) });
    open = new Map();
    second = next;
  };

  return {
    sent: (endpoint) => {
      tally(endpoint).sent += 1;
    },
    settled: (endpoint, outcome, ms) => {
      const counts = tally(endpoint);
      counts[columnOf[outcome]] += 1;
      if (timed.has(outcome)) recordMs(counts.latency, ms);
    },
    second: () => Math.floor((now() - startedMs) / 1_000),
    take: (final = false) => {
      if (final) close(second + 1);
      const taken = finished;
      finished = [];
      return taken;
    },
  };
}

const emptyTally = (): Tally => ({
  sent: 0,
  ok: 0,
  refused: 0,
  limited: 0,
  httpErrors: 0,
  wrongAnswers: 0,
  timeouts: 0,
  connectionErrors: 0,
  latency: createHistogram(),
});
