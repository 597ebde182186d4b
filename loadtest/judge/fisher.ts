import { logFactorial } from '#lib/binomial.ts';

/** Of so many tries so many came out bad. */
export type Share = { readonly bad: number; readonly all: number };

/**
 * Fisher's exact test: the probability that, were the bad ones of both dealt out at random, at least as many of them as there
 * are fell to `suspect`. Also where the other has none at all.
 */
export function fisherP(suspect: Share, other: Share): number {
  const bad = suspect.bad + other.bad;
  const all = suspect.all + other.all;
  const most = Math.min(bad, suspect.all);
  // What is no more than its fair part is no suspicion, and its tail would only cost time.
  if (suspect.bad * all <= bad * suspect.all) return 1;
  let term = Math.exp(logChoose(bad, suspect.bad) + logChoose(all - bad, suspect.all - suspect.bad) - logChoose(all, suspect.all));
  let sum = 0;
  for (let count = suspect.bad; count <= most && term > sum * Number.EPSILON; count += 1) {
    sum += term;
    term *= ((bad - count) * (suspect.all - count)) / ((count + 1) * (all - bad - suspect.all + count + 1));
  }
  return Math.min(1, sum);
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);
