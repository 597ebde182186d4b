/**
 * The probability that, of `trials` that each come out bad with probability `share`, at least `bad` do. Exact, up to
 * rounding: the first term by logarithms of factorials, the others from it.
 */
export function atLeast(bad: number, trials: number, share: number): number {
  // Below the mean the tail is most of it, and its sum would only cost time: nothing is decided there.
  if (bad <= trials * share) return 1;
  let term = Math.exp(
    logFactorial(trials) - logFactorial(bad) - logFactorial(trials - bad) + bad * Math.log(share) + (trials - bad) * Math.log1p(-share),
  );
  let sum = 0;
  for (let count = bad; count <= trials && term > sum * Number.EPSILON; count += 1) {
    sum += term;
    term *= ((trials - count) / (count + 1)) * (share / (1 - share));
  }
  return Math.min(1, sum);
}

/** ln(n!) by Stirling's series, exact to 1e-9 from 10 on; below by the product. */
export function logFactorial(n: number): number {
  if (n < 10) {
    let product = 1;
    for (let factor = 2; factor <= n; factor += 1) product *= factor;
    return Math.log(product);
  }
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1_260 * n ** 5);
}
