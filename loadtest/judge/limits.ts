import type { FailureKind, Measurement } from '../measurement/measurement.ts';
import { errorCount, mergeFailures, settledCount } from '../measurement/merge.ts';
import { broken, met, notChecked, showCount, showMs, showShare, type Check } from './check.ts';
import { maxWitnesses } from '../measurement/witness.ts';
import { figuresOf, type Figures } from './figures.ts';

/** Whether the service was fast and right enough. Each limit is exclusive: p95 of exactly 200 ms does not pass "< 200 ms". */
export function judgeLimits(measurement: Measurement): Check[] {
  const { budget } = measurement;
  const figures = figuresOf(measurement);
  const { p95Ms, p99Ms } = figures.latency;
  return [
    judgeLatency({ percentile: 95, measuredMs: p95Ms, limitMs: budget.p95Ms }, measurement),
    judgeLatency({ percentile: 99, measuredMs: p99Ms, limitMs: budget.p99Ms }, measurement),
    judgeErrors(figures, budget.errorRate, measurement),
  ];
}

/** Three digits of a histogram: a timeout of 15,000 ms may come back as 14,990. */
const histogramPrecision = 0.999;

export const shortestTimeoutMs = ({ phases }: Measurement): number => Math.min(...phases.map(({ timeoutMs }) => timeoutMs));

type LatencyQuestion = { readonly percentile: number; readonly measuredMs: number | null; readonly limitMs: number };

function judgeLatency({ percentile, measuredMs, limitMs }: LatencyQuestion, measurement: Measurement): Check {
  const head = { id: `latency-p${percentile}`, kind: 'limit', title: `${percentile} % of answers within` } as const;
  const limit = `< ${showMs(limitMs)}`;
  if (measuredMs === null) return notChecked(head, 'no request was answered', limit);
  if (measurement.phases.every(({ load }) => load.kind === 'saturating')) {
    return notChecked(head, `measured ${showMs(measuredMs)}, but users who never pause make the latency themselves`);
  }
  if (measuredMs < limitMs) return met(head, showMs(measuredMs), limit);
  const timeoutMs = shortestTimeoutMs(measurement);
  const isCensored = measuredMs >= timeoutMs * histogramPrecision;
  const measured = isCensored ? `≥ ${showMs(timeoutMs)}` : showMs(measuredMs);
  return broken({ ...head, excessMs: measuredMs - limitMs }, measured, limit, `p${percentile} is ${measured}, allowed is ${limit}`);
}

function judgeErrors(figures: Figures, limitRate: number, measurement: Measurement): Check {
  const head = { id: 'error-rate', kind: 'limit', title: 'Requests without the right answer' } as const;
  const limit = `< ${showShare(limitRate)}`;
  const { counts, errorRate } = figures;
  const settled = settledCount(counts);
  if (settled === 0) return notChecked(head, 'no request came to an end', limit);
  const count = errorCount(counts);
  const measured = `${showShare(errorRate)} (${showCount(count)} of ${showCount(settled)})`;
  if (errorRate < limitRate) return met(head, measured, limit);
  // A client that sleeps through the timeout counts one; an answer with an error in it is the server's own.
  const isByTimeouts = (count - counts.timeouts) / settled < limitRate;
  const excessMs = isByTimeouts ? shortestTimeoutMs(measurement) : Number.MAX_VALUE;
  const reason = `${measured} of the requests failed, allowed is ${limit}; most often ${mostFrequent(measurement)}`;
  return broken(
    {
      ...head,
      excessMs,
      witnesses: failuresOf(measurement)
        .flatMap(({ witnesses }) => witnesses)
        .slice(0, maxWitnesses),
    },
    measured,
    limit,
    reason,
  );
}

function mostFrequent(measurement: Measurement): string {
  const [first] = failuresOf(measurement);
  if (first === undefined) return 'for reasons that were not kept';
  const what = first.status === null ? first.outcome : `${first.status}`;
  return `${what} at ${first.endpoint}: ${first.fault}`;
}

/** Kinds of failure over all phases, the most frequent first. */
export const failuresOf = ({ phases }: Measurement): FailureKind[] => mergeFailures(phases.flatMap(({ failures }) => failures));
