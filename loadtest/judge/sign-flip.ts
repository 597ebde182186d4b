/**
 * The exact sign-flip test of paired values: had which of a pair is A and which is B been decided by a coin, as many of the
 * 2^n assignments of signs would give a sum as far from zero as theirs. It supposes no distribution, only that each value
 * is as likely to have the other sign when A and B are equal.
 */

/** More pairs than that cost more time than they tell: the work grows with 2^(n/2). */
export const maxPairs = 32;

/**
 * The probabilities that equal sides give a sum at least as high, and at least as low, as that of `values`. Exact over all 2^n
 * assignments, met in the middle: the sums of either half are sorted and counted against each other.
 * @throws {RangeError} for more than 32 values
 */
export function tailsOf(values: readonly number[]): { readonly up: number; readonly down: number } {
  if (values.length > maxPairs) throw new RangeError(`${values.length} pairs are more than ${maxPairs}`);
  const sum = values.reduce((total, value) => total + value, 0);
  // What differs by rounding alone is equal.
  const slack = 1e-11 * values.reduce((total, value) => total + Math.abs(value), 0);
  const middle = values.length >> 1;
  const [left, right] = [signedSums(values.slice(0, middle)), signedSums(values.slice(middle))];
  const all = left.length * right.length;
  // The sums lie as far above zero as below: "at most s" is as likely as "at least −s".
  return { up: pairsFrom(left, right, sum - slack) / all, down: pairsFrom(left, right, -sum - slack) / all };
}

/** The sums of all assignments of signs, ascending. */
function signedSums(values: readonly number[]): Float64Array {
  let sums = new Float64Array(1);
  for (const value of values) sums = shiftedBothWays(sums, Math.abs(value));
  return sums;
}

function shiftedBothWays(sums: Float64Array, by: number): Float64Array<ArrayBuffer> {
  const merged = new Float64Array(2 * sums.length);
  for (let at = 0, low = 0, high = 0; at < merged.length; at += 1) {
    const lower = (sums[low] ?? Infinity) - by;
    const higher = (sums[high] ?? Infinity) + by;
    merged[at] = Math.min(lower, higher);
    if (lower <= higher) low += 1;
    else high += 1;
  }
  return merged;
}

/** How many pairs, one of each list, have a sum of at least `least`. Both ascend. */
function pairsFrom(left: Float64Array, right: Float64Array, least: number): number {
  let pairs = 0;
  let first = right.length;
  for (const one of left) {
    while (first > 0 && one + (right[first - 1] ?? 0) >= least) first -= 1;
    pairs += right.length - first;
  }
  return pairs;
}

/** Two-sided: the probability that equal sides give a sum at least as far from zero, either way. */
export function signFlipP(values: readonly number[]): number {
  const { up, down } = tailsOf(values);
  return Math.min(1, 2 * Math.min(up, down));
}

/** Of the range of the values: to a ten-thousandth part of it. */
const bisections = 14;

/**
 * All shifts that the test does not refuse at a confidence of 0–1: the interval of what B really adds to A. Found by inverting
 * the test, so it is as exact. Infinite where so few pairs refuse nothing.
 */
export function shiftInterval(values: readonly number[], confidence: number): readonly [number, number] {
  const tail = (1 - confidence) / 2;
  if (0.5 ** values.length > tail) return [-Infinity, Infinity];
  const lowest = lowestShift(values, tail);
  return [
    lowest,
    -lowestShift(
      values.map((value) => -value),
      tail,
    ),
  ];
}

/** The least shift for which a sum as high as this is no surprise; that of which it becomes less and less of one. */
function lowestShift(values: readonly number[], tail: number): number {
  let [refused, kept] = [Math.min(...values), Math.max(...values)];
  for (let step = 0; step < bisections; step += 1) {
    const shift = (refused + kept) / 2;
    if (tailsOf(values.map((value) => value - shift)).up > tail) kept = shift;
    else refused = shift;
  }
  return refused;
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
