/**
 * The exact sign-flip test of paired values, by their ranks (Wilcoxon's signed-rank test): had which of a pair is A and which is B
 * been decided by a coin, how many of the 2^n assignments of signs would lie as far to one side as theirs? It supposes no
 * distribution, only that each value is as likely to have the other sign when A and B are equal. By ranks, so that one round in
 * which the machine stood still counts as one round and not as ten.
 */

/** More pairs than that only cost time. */
export const maxPairs = 60;

/** The probabilities that equal sides give values that lie at least as high, and at least as low, as these. */
export function tailsOf(values: readonly number[]): { readonly up: number; readonly down: number } {
  const ranks = doubledRanks(values.map(Math.abs)).map((rank, i) => (values[i] === 0 ? 0 : rank));
  const above = ranks.reduce((sum, rank, i) => sum + ((values[i] ?? 0) > 0 ? rank : 0), 0);
  const all = ranks.reduce((sum, rank) => sum + rank, 0);
  const chances = chancesOf(ranks);
  // What lies above with its signs lies below with the opposite ones.
  return { up: sumOf(chances.subarray(above)), down: sumOf(chances.subarray(all - above)) };
}

/** Twice the ranks from the least on, so that those who share one have a whole number too. */
function doubledRanks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return 2 * below + equal + 1;
  });
}

/** The probability of each sum of the ranks that come out positive, over all 2^n assignments of signs: one rank after the other. */
function chancesOf(ranks: readonly number[]): Float64Array {
  const chances = new Float64Array(ranks.reduce((sum, rank) => sum + rank, 1));
  chances[0] = 1;
  for (const rank of ranks) {
    for (let sum = chances.length - 1; sum >= 0; sum -= 1) {
      chances[sum] = ((chances[sum] ?? 0) + (sum >= rank ? (chances[sum - rank] ?? 0) : 0)) / 2;
    }
  }
  return chances;
}

const sumOf = (chances: Float64Array): number => chances.reduce((sum, chance) => sum + chance, 0);

/** Two-sided: the probability that equal sides give values at least as far from zero, either way. */
export function signFlipP(values: readonly number[]): number {
  const { up, down } = tailsOf(values);
  return Math.min(1, 2 * Math.min(up, down));
}

/** What B adds to A. */
export type Shift = {
  /** Median of the means of all pairs of values, each with itself too (Hodges and Lehmann). */
  readonly middle: number;
  /** All that the test does not refuse; infinite where so few values refuse nothing. */
  readonly bounds: readonly [number, number];
};

/**
 * Found by inverting the test, so it is as exact: a shift is refused when too few of the means of pairs lie beyond it.
 * @param confidence 0–1
 */
export function shiftOf(values: readonly number[], confidence: number): Shift {
  const means = values.flatMap((one, i) => values.slice(i).map((other) => (one + other) / 2)).toSorted((a, b) => a - b);
  const last = means.length - 1;
  const middle = ((means[last >> 1] ?? 0) + (means[(last + 1) >> 1] ?? 0)) / 2;
  const refused = refusedMeans(values.length, (1 - confidence) / 2);
  if (refused === 0) return { middle, bounds: [-Infinity, Infinity] };
  return { middle, bounds: [means[refused - 1] ?? -Infinity, means[last - refused + 1] ?? Infinity] };
}

/** How many of the means at either end are refused: so many sums of ranks are together less likely than `tail`. */
function refusedMeans(count: number, tail: number): number {
  const chances = chancesOf(Array.from({ length: count }, (_, i) => i + 1));
  let [sums, likely] = [0, chances[0] ?? 1];
  while (likely <= tail) {
    sums += 1;
    likely += chances[sums] ?? 1;
  }
  return sums;
}

/**
 * p values corrected for being many by Holm's method, in the order given: below `alpha` they are with at most that
 * probability for any of them that is chance, however they depend on each other.
 */
export function holm(ps: readonly number[]): number[] {
  const corrected = ps.map(() => 1);
  let least = 0;
  for (const [rank, index] of ps
    .map((_, i) => i)
    .toSorted((i, k) => (ps[i] ?? 1) - (ps[k] ?? 1))
    .entries()) {
    least = Math.max(least, Math.min(1, (ps.length - rank) * (ps[index] ?? 1)));
    corrected[index] = least;
  }
  return corrected;
}
