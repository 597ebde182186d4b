import { showCount, showDuration, showShare } from '#lib/show.ts';
import { settledCount, sumCounts } from '../measurement/merge.ts';
import { countOf, countOver, latenciesOf, serviceTimesOf } from '../measurement/latencies.ts';
import type { Budget, Measurement, Slice } from '../measurement/measurement.ts';
import type { Witness } from '../measurement/witness.ts';
import { atLeast } from '#lib/binomial.ts';
import { broken, excused, met, notChecked, type Check } from './check.ts';
import { isSaturating, timedSlices } from './figures.ts';
import { certainErrors, failuresOf, slowestOf, witnessesOf } from './limits.ts';
import { allowanceOf, noAllowance, type Allowance } from './slowness.ts';

/**
 * The budget's limits for each endpoint by itself, or its own where it has some: what happens to one in twenty orders is lost among a hundred times as
 * many reads. With few answers a percentile is chance, so an endpoint fails only when that many bad ones would be most
 * unlikely of one that keeps the limit (exact binomial test).
 */
export function judgeEndpoints(measurement: Measurement): Check[] {
  return [judgeLatency(measurement), judgeErrors(measurement)];
}

/** Ten endpoints with two limits each: 0.2 % of runs of a service just at every limit would fail by chance. */
const latencyAlpha = 1e-4;
/** One moment of standing still meets many requests at once and counts as one; windows judge it. A slow endpoint is slow again and again. */
const minSeconds = 3;
const minAnswers = 10;
/** An error that was answered is no chance, so ordinary confidence is enough to call a rate too high. */
export const errorAlpha = 0.05;

type Missed = {
  readonly endpoint: string;
  readonly bad: number;
  readonly all: number;
  readonly limit: string;
  readonly isExcused: boolean;
};

const byEndpoint = (slices: readonly Slice[]): [string, Slice[]][] => [...Map.groupBy(slices, ({ endpoint }) => endpoint)];

const describeSlow = ({ endpoint, bad, all, limit }: Missed): string =>
  `${endpoint}: ${showCount(bad)} of ${showCount(all)} answers took over ${limit}`;

const describeFailing = ({ endpoint, bad, all, limit }: Missed): string =>
  `${endpoint}: ${showCount(bad)} of ${showCount(all)} requests failed (${showShare(bad / all)}${limit})`;

function judgeLatency(measurement: Measurement): Check {
  const { budget } = measurement;
  const head = { id: 'endpoint-latency', kind: 'limit', title: 'Each endpoint by itself: latency', isSpeed: true } as const;
  const limit = `95 % < ${showDuration(budget.p95Ms)}, 99 % < ${showDuration(budget.p99Ms)}${orOwn(budget)}`;
  if (isSaturating(measurement)) return notChecked(head, 'users who never pause make the latency themselves', limit);
  const endpoints = byEndpoint(timedSlices(measurement));
  const allowed = allowanceOf(measurement);
  const missed = endpoints.flatMap(([endpoint, slices]) => {
    const { p95Ms, p99Ms } = { ...budget, ...budget.endpoints?.[endpoint] };
    const questions = [
      { limitMs: p99Ms, share: 0.01 },
      { limitMs: p95Ms, share: 0.05 },
    ];
    const both = questions.flatMap((question) => missedLatency(endpoint, slices, question, allowed) ?? []);
    // What nothing excuses comes first: that few answers were far too slow does not excuse that all were too slow.
    return both.toSorted((a, b) => Number(a.isExcused) - Number(b.isExcused)).slice(0, 1);
  });
  return conclude(head, { missed, count: endpoints.length, limit, describe: describeSlow }, (endpoint) =>
    slowestOf(measurement, (witness) => witness.endpoint === endpoint),
  );
}

const orOwn = ({ endpoints = {} }: Budget): string => (Object.keys(endpoints).length === 0 ? '' : ', or its own');

type LatencyQuestion = { readonly limitMs: number; readonly share: number };

function missedLatency(
  endpoint: string,
  slices: readonly Slice[],
  { limitMs, share }: LatencyQuestion,
  allowed: Allowance,
): Missed | undefined {
  const all = slices.reduce((sum, slice) => sum + countOf(latenciesOf(slice)), 0);
  /** How many answers were too slow, 0 when they are not too many. */
  const tooMany = (allowance: Allowance, timesOf = latenciesOf): number => {
    const counts = slices.map((slice) => countOver(timesOf(slice), allowance(limitMs, slice.second)));
    const bad = counts.reduce((sum, count) => sum + count, 0);
    return counts.filter((count) => count > 0).length >= minSeconds && atLeast(bad, all, share) < latencyAlpha ? bad : 0;
  };
  const bad = tooMany(noAllowance);
  if (all < minAnswers || bad === 0) return undefined;
  return { endpoint, bad, all, limit: showDuration(limitMs), isExcused: tooMany(allowed, serviceTimesOf) === 0 };
}

function judgeErrors(measurement: Measurement): Check {
  const { budget } = measurement;
  const head = { id: 'endpoint-errors', kind: 'limit', title: 'Each endpoint by itself: errors' } as const;
  const limit = `< ${showShare(budget.errorRate)}${orOwn(budget)}`;
  const allowed = allowanceOf(measurement);
  const endpoints = byEndpoint(measurement.slices);
  const missed = endpoints.flatMap(([endpoint, slices]): Missed[] => {
    const { errorRate } = { ...budget, ...budget.endpoints?.[endpoint] };
    const own = errorRate === budget.errorRate ? '' : `, allowed here is < ${showShare(errorRate)}`;
    const all = settledCount(sumCounts(slices));
    const isTooMany = (bad: number): boolean => atLeast(bad, all, errorRate) < errorAlpha && bad > 1;
    const bad = certainErrors(slices, noAllowance, measurement);
    const certain = certainErrors(slices, allowed, measurement);
    return isTooMany(bad) ? [{ endpoint, bad, all, limit: own, isExcused: !isTooMany(certain) }] : [];
  });
  return conclude(head, { missed, count: endpoints.length, limit, describe: describeFailing }, (endpoint) =>
    witnessesOf(failuresOf(measurement).filter((kind) => kind.endpoint === endpoint)),
  );
}

type Finding = {
  readonly missed: readonly Missed[];
  readonly count: number;
  readonly limit: string;
  readonly describe: (one: Missed) => string;
};

function conclude(
  head: Pick<Check, 'id' | 'kind' | 'title' | 'isSpeed'>,
  { missed, count, limit, describe }: Finding,
  witnesses: (endpoint: string) => readonly Witness[],
): Check {
  if (count === 0) return notChecked(head, 'no request was answered', limit);
  if (missed.length === 0) return met(head, `${count} of ${count}`, limit);
  const guilty = missed.filter(({ isExcused }) => !isExcused);
  const measured = missed.map(describe).join('; ');
  if (guilty.length === 0) return excused(head, measured, limit);
  const found = guilty.map(describe).join('; ');
  return broken(
    { ...head, witnesses: guilty.flatMap(({ endpoint }) => witnesses(endpoint)) },
    found,
    limit,
    `${found}; allowed is ${limit}`,
  );
}
