import { isSaturating, type Measurement } from '../measurement/measurement.ts';
import { errorCount, settledCount } from '../measurement/merge.ts';
import { broken, met, notChecked, showCount, showMs, showShare, type Check } from './check.ts';
import { figuresOf, type Figures } from './figures.ts';

export type Thresholds = {
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Share of requests, 0–1, that may end without the right answer. */
  readonly errorRate: number;
};

/** Whether the service was fast and right enough. Each limit is exclusive: p95 of exactly 200 ms does not pass "< 200 ms". */
export function judgeThresholds(measurement: Measurement, thresholds: Thresholds): Check[] {
  const figures = figuresOf(measurement);
  const { p95Ms, p99Ms } = figures.latency;
  return [
    judgeLatency({ percentile: 95, measuredMs: p95Ms, limitMs: thresholds.p95Ms }, measurement),
    judgeLatency({ percentile: 99, measuredMs: p99Ms, limitMs: thresholds.p99Ms }, measurement),
    judgeErrors(figures, thresholds.errorRate, measurement),
  ];
}

type LatencyQuestion = { readonly percentile: number; readonly measuredMs: number | null; readonly limitMs: number };

function judgeLatency({ percentile, measuredMs, limitMs }: LatencyQuestion, measurement: Measurement): Check {
  const head = { id: `latency-p${percentile}`, kind: 'threshold', title: `${percentile} % of answers within` } as const;
  const limit = `< ${showMs(limitMs)}`;
  const { profile } = measurement;
  if (measuredMs === null) return notChecked(head, 'no request was answered', limit);
  if (isSaturating(profile)) {
    return notChecked(head, `measured ${showMs(measuredMs)}, but users who never pause make the latency themselves`);
  }
  if (measuredMs < limitMs) return met(head, showMs(measuredMs), limit);
  const isCensored = measuredMs >= profile.timeoutMs * 0.999;
  const measured = isCensored ? `≥ ${showMs(profile.timeoutMs)}` : showMs(measuredMs);
  return broken({ ...head, excessMs: measuredMs - limitMs }, measured, limit, `p${percentile} is ${measured}, allowed is ${limit}`);
}

function judgeErrors(figures: Figures, limitRate: number, measurement: Measurement): Check {
  const head = { id: 'error-rate', kind: 'threshold', title: 'Requests without the right answer' } as const;
  const limit = `< ${showShare(limitRate)}`;
  const { counts, errorRate } = figures;
  const settled = settledCount(counts);
  if (settled === 0) return notChecked(head, 'no request came to an end', limit);
  const count = errorCount(counts);
  const measured = `${showShare(errorRate)} (${showCount(count)} of ${showCount(settled)})`;
  if (errorRate < limitRate) return met(head, measured, limit);
  // A client that sleeps through the timeout counts one; an answer with an error in it is the server's own.
  const isByTimeouts = (count - counts.timeouts) / settled < limitRate;
  const excessMs = isByTimeouts ? measurement.profile.timeoutMs : Number.MAX_VALUE;
  const reason = `${measured} of the requests failed, allowed is ${limit}; most often ${mostFrequent(measurement)}`;
  return broken({ ...head, excessMs }, measured, limit, reason);
}

function mostFrequent({ failures }: Measurement): string {
  const [first] = failures;
  if (first === undefined) return 'for reasons that were not kept';
  const what = first.status === null ? first.outcome : `${first.status}`;
  return `${what} at ${first.endpoint}: ${first.detail}`;
}
