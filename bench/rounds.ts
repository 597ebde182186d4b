/** Who takes part: the API, the floor that all are measured by, and peers, of which pgbench asks the database with no server between. */
export const contenders = ['api', 'floor', 'fastify', 'go', 'axum', 'pgbench'] as const;
export type Contender = (typeof contenders)[number];
export const isPeer = (name: string): name is Peer => contenders.some((one) => one === name) && name !== 'api' && name !== 'floor';
export type Peer = Exclude<Contender, 'api' | 'floor'>;

/**
 * In which order they run in a round: there and back again (floor–api, api–floor, …), so that a machine that gets slower or
 * faster over the bench favours nobody. Pure.
 */
export const roundOrder = <C extends Contender>(round: number, playing: readonly C[]): readonly C[] =>
  round % 2 === 0 ? playing : playing.toReversed();

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
  /** Resident memory of the server's processes at the end of the round; null where it cannot be read. */
  readonly residentBytes: number | null;
  readonly errors: number;
};

/** The scores of those who played; the floor always does. */
export type Round = Readonly<Partial<Record<Contender, Score>>> & { readonly floor: Score };

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

/** One contender over all rounds, and as multiples of the floor, taken within each round. */
export type Total = {
  readonly requestsPerSecond: Spread;
  readonly p99Ms: Spread | undefined;
  readonly cpuMs: Spread | undefined;
  readonly residentBytes: Spread | undefined;
  readonly errors: number;
  readonly throughputRatio: Spread | undefined;
  readonly p99Ratio: Spread | undefined;
  /** Of the CPU time for one request; what others do on the machine hardly touches it. */
  readonly cpuRatio: Spread | undefined;
};

export type Comparison = Readonly<Partial<Record<Contender, Total>>>;

/** Compares within rounds, where all met the same machine, and only then over rounds. Pure; needs one round at least. */
export function compare(rounds: readonly Round[]): Comparison {
  const playing = contenders.filter((name) => rounds.some((round) => round[name]));
  return Object.fromEntries(playing.map((name) => [name, totalOf(name, rounds)]));
}

function totalOf(name: Contender, rounds: readonly Round[]): Total {
  const scores = rounds.flatMap((round) => round[name] ?? []);
  const spread = (read: (score: Score) => number | null): Spread | undefined => spreadOf(scores.flatMap((score) => read(score) ?? []));
  const ratio = (read: (score: Score) => number | null): Spread | undefined =>
    spreadOf(
      rounds.flatMap((round) => {
        const [own, floor] = [round[name] && read(round[name]), read(round.floor)];
        return own === undefined || own === null || floor === null || floor === 0 ? [] : [own / floor];
      }),
    );
  const requestsPerSecond = spread((score) => score.requestsPerSecond);
  if (requestsPerSecond === undefined) throw new RangeError('a bench needs a round at least');
  return {
    requestsPerSecond,
    p99Ms: spread(({ p99Ms }) => p99Ms),
    cpuMs: spread(({ cpuMs }) => cpuMs),
    residentBytes: spread(({ residentBytes }) => residentBytes),
    errors: scores.reduce((sum, { errors }) => sum + errors, 0),
    throughputRatio: ratio((score) => score.requestsPerSecond),
    p99Ratio: ratio(({ p99Ms }) => p99Ms),
    cpuRatio: ratio(({ cpuMs }) => cpuMs),
  };
}
