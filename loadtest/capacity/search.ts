/** What was found at one rate: the service kept its limits, missed them, or client and machine could not tell. */
export type Probed = { readonly rate: number; readonly outcome: 'kept' | 'missed' | 'unclear' };

export type SearchBounds = {
  /** Where it begins; slower than `least` or faster than `most` is not asked. */
  readonly first: number;
  readonly least: number;
  readonly most: number;
  /** The search is over when the lowest rate missed is at most this many times the highest kept, above 1. */
  readonly precision: number;
};

/** Requests a second of the first try: few services cannot take them, and no client is late with them. */
export const firstRate = 50;
const usualPrecision = 1.05;

export const boundsOf = ({ precision = usualPrecision }: { readonly precision?: number }): SearchBounds => ({
  first: firstRate,
  least: 1,
  most: 2_000,
  precision,
});

export type Next =
  | { readonly kind: 'probe'; readonly rate: number }
  /** `low` was kept, `high` missed, both confirmed: the capacity lies between. */
  | { readonly kind: 'found'; readonly low: number; readonly high: number }
  /** Even the fastest asked was kept, confirmed. */
  | { readonly kind: 'beyond'; readonly low: number }
  /** Even the slowest asked was missed, confirmed. */
  | { readonly kind: 'nothing'; readonly high: number }
  /** Client and machine could not tell at that rate, twice; `low` was kept. */
  | { readonly kind: 'untold'; readonly rate: number; readonly low: number | undefined }
  /** The same rates were kept and missed again and again. */
  | { readonly kind: 'unsettled'; readonly low: number | undefined; readonly high: number | undefined };

/** So often the highest rate must be kept, and the lowest missed, before either is believed: one stall is no capacity. */
const keptConfirmed = 3;
const missedConfirmed = 2;
const maxUnclear = 2;
const maxProbes = 40;

/**
 * The search for the highest rate that keeps the limits: doubled until one is missed, then halved between the two, then both
 * ends confirmed. A rate stands as the majority of its probes has it; a tie counts as missed. What a probe shows of one rate
 * may so move the ends again. Pure: the same results give the same next step.
 */
export function nextStep(probed: readonly Probed[], { first, least, most, precision }: SearchBounds): Next {
  const tallies = [...Map.groupBy(probed, ({ rate }) => rate)].map(([rate, probes]) => tallyOf(rate, probes)).toSorted(byRate);
  const high = tallies.find(({ kept, missed }) => missed > 0 && kept <= missed);
  const low = tallies.findLast(({ rate, kept, missed }) => kept > missed && rate < (high?.rate ?? Infinity));
  const untold = tallies.find(({ kept, missed, unclear }) => unclear > 0 && kept + missed === 0);
  if (untold && untold.rate < (high?.rate ?? Infinity)) {
    return untold.unclear < maxUnclear ? probe(untold.rate) : { kind: 'untold', rate: untold.rate, low: low?.rate };
  }
  if (probed.length >= maxProbes) return { kind: 'unsettled', low: low?.rate, high: high?.rate };
  if (high === undefined) {
    if (low === undefined) return probe(first);
    if (low.rate < most) return probe(rounded(Math.min(most, 2 * low.rate)));
    return low.kept < keptConfirmed ? probe(low.rate) : { kind: 'beyond', low: low.rate };
  }
  if (low === undefined) {
    if (high.rate > least) return probe(rounded(Math.max(least, high.rate / 2)));
    return high.missed < missedConfirmed ? probe(high.rate) : { kind: 'nothing', high: high.rate };
  }
  const middle = rounded(Math.sqrt(low.rate * high.rate));
  if (high.rate / low.rate > precision && middle > low.rate && middle < high.rate) return probe(middle);
  if (high.missed < missedConfirmed) return probe(high.rate);
  return low.kept < keptConfirmed ? probe(low.rate) : { kind: 'found', low: low.rate, high: high.rate };
}

const probe = (rate: number): Next => ({ kind: 'probe', rate });

type Tally = { readonly rate: number } & Readonly<Record<Probed['outcome'], number>>;

function tallyOf(rate: number, probes: readonly Probed[]): Tally {
  const count = (outcome: Probed['outcome']): number => probes.filter((one) => one.outcome === outcome).length;
  return { rate, kept: count('kept'), missed: count('missed'), unclear: count('unclear') };
}

const byRate = (a: Tally, b: Tally): number => a.rate - b.rate;

/** Three digits are finer than any precision asked for. */
const rounded = (rate: number): number => Number(rate.toPrecision(3));
