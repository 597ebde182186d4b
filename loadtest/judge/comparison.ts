import { showCount, showDuration, showShare } from '#lib/show.ts';
import { fisherP } from './fisher.ts';
import { inAll, mean, scopesOf, seriesOf, tallyErrors, type ErrorTally, type Metric, type Round, type Series } from './rounds.ts';
import { holm, shiftOf, signFlipP, type Shift } from './sign-flip.ts';
import type { Verdict } from './verdict.ts';

export type Asked = {
  /** The probability that anything at all is called different that is not. */
  readonly alpha: number;
  /** A share: what differs by less is no difference, however sure it is. */
  readonly gate: number;
  /** A share: PASS says that nothing demanded is worse by as much. */
  readonly effect: number;
};

/** What else is known of a comparison, one sentence each. */
export type Circumstances = {
  /** Why client, machine or A are no measure. */
  readonly problems: readonly string[];
  /** What B did wrong and A did not, whatever its speed. */
  readonly defects: readonly string[];
};

export type Finding = 'better' | 'worse' | 'same' | 'cannot tell';

export type MetricResult = Series & {
  /** B to A as a share: 0.1 is 10 % more. */
  readonly change: number;
  /** Changes that the rounds do not refuse at 1 − alpha; infinite when they are too few. */
  readonly interval: readonly [number, number];
  /** Of the sign-flip test, corrected for being one of many. */
  readonly p: number;
  /** Whether the windows of B differ among themselves more, or less, than those of A. Told, not judged. */
  readonly spread: 'wider' | 'narrower' | 'same';
  readonly finding: Finding;
  /** One sentence. */
  readonly says: string;
};

export type ErrorResult = ErrorTally & {
  /** Of Fisher's test that B has more, corrected for being one of many. */
  readonly p: number;
  readonly finding: Exclude<Finding, 'better'>;
  readonly says: string;
};

export type Comparison = {
  readonly verdict: Verdict;
  /** Why it is not PASS, one sentence each. */
  readonly reasons: readonly string[];
  readonly metrics: readonly MetricResult[];
  readonly errors: readonly ErrorResult[];
};

/** What PASS speaks of, over all endpoints. The others are told, and make it a FAIL when they are worse. */
export const demanded: readonly Metric[] = ['p50', 'p95', 'throughput'];
const maxLag1 = 0.3;
/** Errors of one bad moment say little of B; those of three rounds do. */
const leastErrorRounds = 3;

/** Judges B beside A. Pure: the same rounds give the same verdict, whenever and wherever they are judged. */
export function compare(rounds: readonly Round[], asked: Asked, { problems, defects }: Circumstances): Comparison {
  const scopes = scopesOf(rounds);
  const series = scopes.flatMap((scope) => seriesOf(scope, rounds));
  const tallies = scopes.map((scope) => tallyErrors(scope, rounds));
  const tests = [
    ...series.map(({ scope, logRatios }) => ({ scope, p: signFlipP(logRatios) })),
    ...tallies.map(({ scope, a, b }) => ({ scope, p: fisherP(b, a) })),
  ];
  const ps = correct(tests);
  const spreadPs = holm(series.map(({ deviations }) => signFlipP(deviations)));
  const metrics = series.map((one, i) => judgeMetric(one, ps[i] ?? 1, spreadPs[i] ?? 1, asked));
  const errors = tallies.map((one, i) => judgeErrors(one, ps[series.length + i] ?? 1, asked));
  const worse = [...defects, ...[...metrics, ...errors].filter(({ finding }) => finding === 'worse').map(({ says }) => says)];
  const open = [...problems, ...whatIsOpen({ metrics, errors }, rounds.length, asked)];
  const verdict = problems.length === 0 && worse.length > 0 ? 'FAIL' : open.length > 0 ? 'INVALID' : 'PASS';
  return { verdict, reasons: verdict === 'FAIL' ? worse : open, metrics, errors };
}

type Test = { readonly scope: string; readonly p: number };

/** What is in all and what is of an endpoint have half of alpha each: many endpoints do not hide what happens to all of them. */
function correct(tests: readonly Test[]): number[] {
  const corrected = tests.map(() => 1);
  for (const isOfAll of [true, false]) {
    const family = [...tests.entries()].filter(([, { scope }]) => (scope === inAll) === isOfAll);
    for (const [rank, p] of holm(family.map(([, test]) => test.p)).entries()) corrected[family[rank]?.[0] ?? 0] = Math.min(1, 2 * p);
  }
  return corrected;
}

/** Fewer answers a second are worse, and so is more of a latency. */
const badSign = (metric: Metric): 1 | -1 => (metric === 'throughput' ? -1 : 1);

/** Beyond what chance makes of independent rounds in one of forty comparisons. */
const isCorrelated = ({ lag1, logRatios }: Series): boolean => lag1 > maxLag1 && lag1 * Math.sqrt(logRatios.length) > 2;

function judgeMetric(series: Series, p: number, spreadP: number, asked: Asked): MetricResult {
  const shift = shiftOf(series.logRatios, 1 - asked.alpha);
  const result = {
    ...series,
    change: Math.expm1(shift.middle),
    interval: [Math.expm1(shift.bounds[0]), Math.expm1(shift.bounds[1])],
    p,
    spread: spreadP >= asked.alpha ? 'same' : mean(series.deviations) > 0 ? 'wider' : 'narrower',
    finding: findingOf(series, shift, p, asked),
  } as const;
  return { ...result, says: sayMetric(result, asked) };
}

function findingOf(series: Series, { middle, bounds: [low, high] }: Shift, p: number, { alpha, gate, effect }: Asked): Finding {
  if (isCorrelated(series)) return 'cannot tell';
  if (p < alpha && Math.abs(middle) > Math.log1p(gate)) return middle * badSign(series.metric) > 0 ? 'worse' : 'better';
  return Math.max(-low, high) < Math.log1p(effect) ? 'same' : 'cannot tell';
}

/** A change for people: `+9.6 %`, `−4.8 %`; `any` where it is not bounded. */
export const showChange = (share: number): string =>
  share > -1 && share < Infinity ? `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)} %` : 'any';

/** A value of a metric for people. */
export const showValue = (metric: Metric, value: number): string =>
  metric === 'throughput' ? `${showCount(Math.round(value))}/s` : showDuration(value);

/** What there is to say of how the windows of a side differ among themselves; empty where nothing changed. */
export const saySpread = ({ spread }: Pick<MetricResult, 'spread'>): string =>
  spread === 'same'
    ? ''
    : `; spread changed: the windows of B differ ${spread === 'wider' ? 'more' : 'less'} among themselves than those of A`;

function sayMetric(one: Omit<MetricResult, 'says'>, { effect }: Asked): string {
  const { scope, metric, a, b, change, interval, finding } = one;
  const range = Number.isFinite(interval[1]) ? interval.map(showChange).join(' to ') : 'or any other, by so few rounds';
  const figures = `${metric} ${scope} ${showValue(metric, a)} → ${showValue(metric, b)}, ${showChange(change)} (${range})`;
  if (isCorrelated(one)) return `${figures}: the rounds go together (lag-1 correlation ${one.lag1.toFixed(2)}), so chance cannot be told`;
  if (finding === 'cannot tell') return `${figures}: a change of ${showShare(effect)} cannot be told with these rounds`;
  if (finding === 'same') return `${figures}: the same within ${showShare(Math.max(...interval.map(Math.abs)))}`;
  return `${figures}: ${finding}`;
}

function judgeErrors(tally: ErrorTally, p: number, { alpha }: Asked): ErrorResult {
  const { scope, a, b, rounds } = tally;
  const finding = p >= alpha ? 'same' : rounds >= leastErrorRounds ? 'worse' : 'cannot tell';
  const figures = `errors ${scope} ${showCount(a.bad)} of ${showCount(a.all)} → ${showCount(b.bad)} of ${showCount(b.all)}`;
  const where = `, more than A in ${rounds} rounds`;
  return { ...tally, p, finding, says: `${figures}${finding === 'same' ? '' : where}: ${finding}` };
}

/** What PASS would have to say and these rounds cannot. */
function whatIsOpen({ metrics, errors }: Pick<Comparison, 'metrics' | 'errors'>, rounds: number, asked: Asked): string[] {
  const ofAll = metrics.filter(({ scope }) => scope === inAll);
  const missing = demanded.filter((metric) => !ofAll.some((one) => one.metric === metric));
  const isBelow = ({ metric, interval: [low, high] }: MetricResult): boolean =>
    badSign(metric) > 0 ? high < asked.effect : -low < asked.effect / (1 + asked.effect);
  const isUnanswered = (one: MetricResult): boolean =>
    one.scope === inAll && demanded.includes(one.metric) && one.finding !== 'worse' && !isBelow(one);
  const isDoubtful = (one: MetricResult): boolean =>
    isCorrelated(one) && (one.scope === inAll ? demanded.includes(one.metric) : one.p < asked.alpha);
  const least = leastRounds(2 * (ofAll.length + 1), asked);
  return [
    ...(rounds < least ? [`${rounds} rounds can never show a difference at alpha ${asked.alpha}; it takes ${least}`] : []),
    ...missing.map((metric) => `${metric} ${inAll} cannot be told: the windows have too few answers`),
    ...metrics.filter((one) => isUnanswered(one) || isDoubtful(one)).map(({ says }) => says),
    ...errors.filter(({ finding }) => finding === 'cannot tell').map(({ says }) => says),
  ];
}

/** Rounds with which the most unlikely of all assignments would be unlikely enough, for one of so many tests. */
const leastRounds = (tests: number, { alpha }: Asked): number => Math.floor(1 + Math.log2(tests / alpha)) + 1;
