import { createRandom, randomInt, type Random } from '../generate/random.ts';
import { compare, type Asked } from '../judge/comparison.ts';
import type { Round, Window } from '../judge/rounds.ts';

/** What comparisons of this kind are worth on this machine, from rounds in which both sides were the same. */
export type Calibration = {
  /** Share of comparisons of equal sides that are a FAIL, and that cannot tell. */
  readonly falseAlarms: number;
  readonly invalid: number;
  /** Of how many. */
  readonly trials: number;
  /** The least slowness of B, as a share, that 95 of 100 comparisons call a FAIL; null when none up to double is. */
  readonly smallestEffect: number | null;
};

const trials = 200;
const powerTrials = 60;
const power = 0.95;
const effects = [0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1];
const stream = -2;

/**
 * Judges comparisons as they might have been: rounds drawn from those that were played, with A and B exchanged by a coin. What
 * lasts over several rounds is not in them; that their order was chance stands for it. Pure.
 */
export function calibrateFrom(rounds: readonly Round[], asked: Asked, seed: number): Calibration {
  const random = createRandom(seed, stream);
  const verdicts = (slower: number, count: number): string[] =>
    Array.from({ length: count }, () => compare(drawn(rounds, slower, random), asked, { problems: [], defects: [] }).verdict);
  const equal = verdicts(0, trials);
  const isFound = (effect: number): boolean => verdicts(effect, powerTrials).filter((one) => one === 'FAIL').length >= power * powerTrials;
  return {
    falseAlarms: share(equal, 'FAIL'),
    invalid: share(equal, 'INVALID'),
    trials,
    smallestEffect: leastOf(effects, isFound),
  };
}

const share = (verdicts: readonly string[], verdict: string): number => verdicts.filter((one) => one === verdict).length / verdicts.length;

/** The first of ascending values that is found, where all after it are found too; by halving. */
function leastOf(values: readonly number[], isFound: (value: number) => boolean): number | null {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isFound(values[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return values[low] ?? null;
}

/** As many rounds of each half, some of them twice. */
function drawn(rounds: readonly Round[], slower: number, random: Random): Round[] {
  return [false, true].flatMap((isSwapped) => {
    const half = rounds.filter((round) => round.isSwapped === isSwapped);
    return half.map(() => {
      const { a, b } = half[randomInt(random, 0, half.length - 1)] ?? { a: {}, b: {} };
      return random() < 0.5 ? { isSwapped, a, b: slowedBy(slower, b) } : { isSwapped, a: b, b: slowedBy(slower, a) };
    });
  });
}

const slowedBy = (slower: number, window: Window): Window =>
  Object.fromEntries(
    Object.entries(window).map(([scope, { p50Ms, p95Ms, p99Ms, ...figures }]) => [
      scope,
      { ...figures, p50Ms: times(p50Ms, 1 + slower), p95Ms: times(p95Ms, 1 + slower), p99Ms: times(p99Ms, 1 + slower) },
    ]),
  );

const times = (ms: number | null, factor: number): number | null => (ms === null ? null : ms * factor);
