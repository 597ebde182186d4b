/**
 * What two sides, A and B, showed when they were played in turn on one machine. The round is the unit: requests of one window
 * share whatever the machine did then, rounds do not.
 */

/** What one window showed of an endpoint, or of all. */
export type WindowFigures = {
  /** Null when nothing was answered. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Right answers a second; null for a single endpoint, whose part of the load is fixed. */
  readonly perSecond: number | null;
  /** Those that the latencies are of. */
  readonly answers: number;
  readonly errors: number;
  /** Requests that came to an end, errors among them. */
  readonly settled: number;
};

/** All endpoints together. */
export const inAll = 'in all';

/** By endpoint, and `inAll`. */
export type Window = Readonly<Record<string, WindowFigures>>;

/** A window of either side, one right after the other. */
export type Round = {
  readonly a: Window;
  readonly b: Window;
  /** Whether A was where B is in the other rounds: on its ports, its disk, its processes. */
  readonly isSwapped: boolean;
};

export type Metric = 'p50' | 'p95' | 'p99' | 'throughput';

/** Answers a window must have, so that five at least lie beyond a percentile. */
const leastAnswers: Readonly<Record<Metric, number>> = { p50: 10, p95: 100, p99: 500, throughput: 1 };

/** One metric of one scope over all rounds. */
export type Series = {
  readonly scope: string;
  readonly metric: Metric;
  /** Medians of the windows; milliseconds, or answers a second. */
  readonly a: number;
  readonly b: number;
  /** Of B to A, round by round, as natural logarithms. */
  readonly logRatios: readonly number[];
  /** Correlation of each log ratio with the next one's; rounds that are independent have none. */
  readonly lag1: number;
  /** How much further from their median the windows of B lie than those of A, round by round, as logarithms. */
  readonly deviations: readonly number[];
};

/** The scopes of the rounds, `inAll` first. */
export const scopesOf = (rounds: readonly Round[]): string[] => [...new Set([inAll, ...rounds.flatMap(({ a }) => Object.keys(a))])];

/** The metrics of a scope that every window of every round can tell. */
export function seriesOf(scope: string, rounds: readonly Round[]): Series[] {
  return (Object.keys(leastAnswers) as Metric[]).flatMap((metric) => {
    const [as, bs] = [
      valuesOf(
        metric,
        rounds.map(({ a }) => a[scope]),
      ),
      valuesOf(
        metric,
        rounds.map(({ b }) => b[scope]),
      ),
    ];
    if (as === undefined || bs === undefined) return [];
    const logRatios = bs.map((b, i) => Math.log(b / (as[i] ?? b)));
    const [fromA, fromB] = [distances(as), distances(bs)];
    return {
      scope,
      metric,
      a: medianOf(as),
      b: medianOf(bs),
      logRatios,
      lag1: lag1Of(logRatios, rounds),
      deviations: fromB.map((distance, i) => distance - (fromA[i] ?? 0)),
    };
  });
}

/** Undefined where one of the windows cannot tell. */
function valuesOf(metric: Metric, windows: readonly (WindowFigures | undefined)[]): number[] | undefined {
  const values = windows.map((window) => {
    if (window === undefined || window.answers < leastAnswers[metric]) return null;
    return metric === 'throughput' ? window.perSecond : window[`${metric}Ms`];
  });
  return values.length > 0 && values.every((value) => value !== null && value > 0) ? (values as number[]) : undefined;
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of an even number the geometric mean of the two in the middle. */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.sqrt((sorted[(sorted.length - 1) >> 1] ?? 1) * (sorted[sorted.length >> 1] ?? 1));
}

const distances = (values: readonly number[]): number[] => values.map((value) => Math.abs(Math.log(value / medianOf(values))));

/** Squares that low are of values that are equal. */
const rounding = 1e-20;

/**
 * Of what is left when either half of the rounds has lost its mean: what the places of A and B add is not of the rounds. Values
 * that lose the mean of h of them seem opposed by 1/h; that is given back.
 */
function lag1Of(logRatios: readonly number[], rounds: readonly Round[]): number {
  const halves = [false, true].map((isSwapped) => logRatios.filter((_, i) => rounds[i]?.isSwapped === isSwapped));
  const rests = halves.filter((half) => half.length > 0).map((half) => half.map((value) => value - mean(half)));
  const squares = rests.flat().reduce((sum, rest) => sum + rest * rest, 0);
  if (squares < rounding) return 0;
  const products = rests.flatMap((half) => half.slice(1).map((rest, i) => rest * (half[i] ?? 0)));
  return products.reduce((sum, product) => sum + product, 0) / squares + rests.length / logRatios.length;
}

/** The errors of one scope over all rounds. */
export type ErrorTally = {
  readonly scope: string;
  readonly a: { readonly bad: number; readonly all: number };
  readonly b: { readonly bad: number; readonly all: number };
  /** Rounds in which B had more of them than A. */
  readonly rounds: number;
};

export const tallyErrors = (scope: string, rounds: readonly Round[]): ErrorTally => ({
  scope,
  a: sumErrors(rounds.map(({ a }) => a[scope])),
  b: sumErrors(rounds.map(({ b }) => b[scope])),
  rounds: rounds.filter(({ a, b }) => (b[scope]?.errors ?? 0) > (a[scope]?.errors ?? 0)).length,
});

const sumErrors = (windows: readonly (WindowFigures | undefined)[]): ErrorTally['a'] => ({
  bad: windows.reduce((sum, window) => sum + (window?.errors ?? 0), 0),
  all: windows.reduce((sum, window) => sum + (window?.settled ?? 0), 0),
});
