import { showCount, showCountOf, showDuration, showShare } from '#lib/show.ts';
import { countOf, countOver, latenciesOf, serviceTimesOf } from '../measurement/latencies.ts';
import type { FailureKind, Measurement, Slice } from '../measurement/measurement.ts';
import { errorCount, mergeFailures, settledCount } from '../measurement/merge.ts';
import { maxWitnesses, type Witness } from '../measurement/witness.ts';
import { broken, excused, met, notChecked, type Check } from './check.ts';
import { figuresOf, isSaturating, timedSlices, type Figures } from './figures.ts';
import { allowanceOf, type Allowance } from './slowness.ts';

/** Whether the service was fast and right enough over the run. Each limit is exclusive: p95 of exactly 200 ms does not pass "< 200 ms". */
export function judgeLimits(measurement: Measurement): Check[] {
  const { budget } = measurement;
  const figures = figuresOf(measurement);
  const { p95Ms, p99Ms } = figures.latency;
  return [
    judgeLatency({ percentile: 95, measuredMs: p95Ms, limitMs: budget.p95Ms }, measurement),
    judgeLatency({ percentile: 99, measuredMs: p99Ms, limitMs: budget.p99Ms }, measurement),
    judgeErrors(figures, measurement),
    judgeLimiter(measurement),
  ];
}

export const shortestTimeoutMs = ({ phases }: Measurement): number => Math.min(...phases.map(({ timeoutMs }) => timeoutMs));

type LatencyQuestion = { readonly percentile: number; readonly measuredMs: number | null; readonly limitMs: number };

function judgeLatency({ percentile, measuredMs, limitMs }: LatencyQuestion, measurement: Measurement): Check {
  const head = { id: `latency-p${percentile}`, kind: 'limit', title: `${percentile} % of answers within`, isSpeed: true } as const;
  const limit = `< ${showDuration(limitMs)}`;
  if (measuredMs === null) return notChecked(head, 'no request was answered', limit);
  if (isSaturating(measurement)) {
    return notChecked(head, `measured ${showDuration(measuredMs)}, but users who never pause make the latency themselves`);
  }
  if (measuredMs < limitMs) return met(head, showDuration(measuredMs), limit);
  const timeoutMs = shortestTimeoutMs(measurement);
  const measured = measuredMs >= timeoutMs ? `≥ ${showDuration(timeoutMs)}` : showDuration(measuredMs);
  const slices = timedSlices(measurement);
  const allowed = allowanceOf(measurement);
  const tooSlow = slices.reduce((sum, slice) => sum + countOver(serviceTimesOf(slice), allowed(limitMs, slice.second)), 0);
  const all = slices.reduce((sum, slice) => sum + countOf(latenciesOf(slice)), 0);
  if (tooSlow <= all * (1 - percentile / 100)) return excused(head, `p${percentile} is ${measured}`, limit);
  const witnesses = slowestOf(measurement, () => true);
  return broken({ ...head, witnesses }, measured, limit, `p${percentile} is ${measured}, allowed is ${limit}`);
}

function judgeErrors(figures: Figures, measurement: Measurement): Check {
  const head = { id: 'error-rate', kind: 'limit', title: 'Requests without the right answer' } as const;
  const { errorRate: limitRate } = measurement.budget;
  const limit = `< ${showShare(limitRate)}`;
  const { counts, errorRate } = figures;
  const settled = settledCount(counts);
  if (settled === 0) return notChecked(head, 'no request came to an end', limit);
  const measured = `${showShare(errorRate)} (${showCount(errorCount(counts))} of ${showCount(settled)})`;
  if (errorRate < limitRate) return met(head, measured, limit);
  const certain = certainErrors(measurement.slices, allowanceOf(measurement), measurement);
  if (certain / settled < limitRate) return excused(head, measured, limit);
  const reason = `${measured} of the requests failed, allowed is ${limit}; most often ${mostFrequent(failuresOf(measurement))}`;
  return broken({ ...head, witnesses: witnessesOf(failuresOf(measurement)) }, measured, limit, reason);
}

/** From there on a server may have closed a connection the client did not use; Node's own default. */
const idleConnectionMs = 5_000;

/**
 * Errors that no slowness of client or machine explains: whatever was answered with an error in it is the server's own. A
 * request that ran out of time may have been answered well within the limit and found the client asleep; a connection may
 * have been closed because the client left it unused.
 */
export function certainErrors(slices: readonly Slice[], allowed: Allowance, measurement: Measurement): number {
  const timeoutMs = shortestTimeoutMs(measurement);
  return slices.reduce((sum, { second, httpErrors, wrongAnswers, timeouts, connectionErrors }) => {
    const isSure = { timeout: timeoutMs > allowed(measurement.budget.p99Ms, second), connection: allowed(0, second) < idleConnectionMs };
    return sum + httpErrors + wrongAnswers + (isSure.timeout ? timeouts : 0) + (isSure.connection ? connectionErrors : 0);
  }, 0);
}

/** The limiter refuses only those who have used up what it grants. */
function judgeLimiter(measurement: Measurement): Check {
  const head = { id: 'rate-limit', kind: 'limit', title: 'Refusals (429) of users within their quota' } as const;
  const kinds = failuresOf(measurement).filter(({ outcome, status }) => outcome === 'http-error' && status === 429);
  const [first] = kinds;
  if (first === undefined) return met(head, '0', '0');
  const count = kinds.reduce((sum, kind) => sum + kind.count, 0);
  const setting = settingOf(first.fault, measurement.target.effective ?? {});
  const reason = `${showCountOf(count, 'request')} ${count === 1 ? 'was' : 'were'} answered ${mostFrequent(kinds)}${setting}: the limiter refuses what it grants`;
  return broken({ ...head, witnesses: witnessesOf(kinds) }, showCount(count), '0', reason);
}

/** The variable a policy of this project's API comes from, with its value, when the effective settings name one. */
function settingOf(fault: string, effective: Readonly<Record<string, unknown>>): string {
  const policy = /"(\w+)"/.exec(fault)?.[1]?.toUpperCase();
  const name = [`RATE_LIMIT_${policy}_CALLS`, 'RATE_LIMIT_CALLS'].find((variable) => effective[variable] !== undefined);
  return name === undefined ? '' : ` (${name}=${String(effective[name])}, RATE_LIMIT_PERIOD=${String(effective['RATE_LIMIT_PERIOD'])})`;
}

function mostFrequent([first]: readonly FailureKind[]): string {
  if (first === undefined) return 'for reasons that were not kept';
  const what = first.status === null ? first.outcome : `${first.status}`;
  return `${what} at ${first.endpoint}: ${first.fault}`;
}

export const witnessesOf = (kinds: readonly FailureKind[]): Witness[] => kinds.flatMap(({ witnesses }) => witnesses).slice(0, maxWitnesses);

/** The slowest answers that a test picks, slowest first. */
export function slowestOf({ phases, disturbed }: Measurement, isMeant: (witness: Witness) => boolean): Witness[] {
  const meant = phases
    .flatMap(({ slowest }) => slowest)
    .filter((witness) => isMeant(witness) && !disturbed.some((endpoint) => endpoint === witness.endpoint));
  return meant.toSorted((a, b) => (b.latencyMs ?? 0) - (a.latencyMs ?? 0)).slice(0, maxWitnesses);
}

/** Kinds of failure over all phases, the most frequent first. */
export const failuresOf = ({ phases }: Measurement): FailureKind[] => mergeFailures(phases.flatMap(({ failures }) => failures));
