const contenders = ['api', 'floor'] as const;
export type Contender = (typeof contenders)[number];

/**
 * Who runs first in each round: they take turns (floor–api, api–floor, …), so that a machine that gets slower or faster
 * over the bench does not favour either. Pure.
 */
export function roundOrder(round: number): readonly [Contender, Contender] {
  return round % 2 === 0 ? ['floor', 'api'] : ['api', 'floor'];
}

/** The result of one contender in one round. */
export type Score = {
  readonly requestsPerSecond: number;
  /** Null when nothing was answered. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** CPU time of the server's processes, without the database's, for one request; null where it cannot be read. */
  readonly cpuMs: number | null;
  /** Answered after the warm-up. */
  readonly requests: number;
  readonly errors: number;
};

export type Round = Readonly<Record<Contender, Score>>;

/** Middle and ends of some numbers. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

/** Undefined for none. Pure. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)] ?? min, sorted[Math.ceil((sorted.length - 1) / 2)] ?? max];
  return { median: (low + high) / 2, min, max };
}

/** One contender over all rounds. */
export type Total = {
  readonly requestsPerSecond: Spread;
  readonly p99Ms: Spread | undefined;
  readonly cpuMs: Spread | undefined;
  readonly errors: number;
};

export type Comparison = {
  readonly api: Total;
  readonly floor: Total;
  /** Throughput of the API as a share of the floor's, within each round. */
  readonly throughputRatio: Spread | undefined;
  /** The API's p99 as a multiple of the floor's, within each round. */
  readonly p99Ratio: Spread | undefined;
  /** The API's CPU time for one request as a multiple of the floor's; what others do on the machine hardly touches it. */
  readonly cpuRatio: Spread | undefined;
};

/** Compares within rounds, where both met the same machine, and only then over rounds. Pure; needs one round at least. */
export function compare(rounds: readonly Round[]): Comparison {
  const ratios = (read: (score: Score) => number | null): number[] =>
    rounds.flatMap(({ api, floor }) => {
      const [ours, theirs] = [read(api), read(floor)];
      return ours === null || theirs === null || theirs === 0 ? [] : [ours / theirs];
    });
  return {
    api: total(rounds.map(({ api }) => api)),
    floor: total(rounds.map(({ floor }) => floor)),
    throughputRatio: spreadOf(ratios(({ requestsPerSecond }) => requestsPerSecond)),
    p99Ratio: spreadOf(ratios(({ p99Ms }) => p99Ms)),
    cpuRatio: spreadOf(ratios(({ cpuMs }) => cpuMs)),
  };
}

function total(scores: readonly Score[]): Total {
  const requestsPerSecond = spreadOf(scores.map((score) => score.requestsPerSecond));
  if (requestsPerSecond === undefined) throw new RangeError('a bench needs a round at least');
  return {
    requestsPerSecond,
    p99Ms: spreadOf(scores.flatMap(({ p99Ms }) => p99Ms ?? [])),
    cpuMs: spreadOf(scores.flatMap(({ cpuMs }) => cpuMs ?? [])),
    errors: scores.reduce((sum, { errors }) => sum + errors, 0),
  };
}
