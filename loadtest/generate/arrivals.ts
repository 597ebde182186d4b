import type { OpenLoad, RateStage } from '../measurement/measurement.ts';
import type { Random } from './random.ts';

/**
 * When requests arrive, in milliseconds from the start, ascending: all of it decided by the load and the source of randomness
 * alone, whatever the target does. Before the stages, for as long as the warm-up, their first rate is held.
 *
 * Arrivals are those of a unit process (one at a time on average) seen through the inverse of the load's expected count: that
 * is a Poisson process of just these rates, or, without chance, even spacing.
 * @see Çinlar, Introduction to Stochastic Processes: time change of a Poisson process
 */
export function* arrivalTimes(
  { stages, spacing }: Pick<OpenLoad, 'stages' | 'spacing'>,
  warmUpMs: number,
  random: Random,
): Generator<number, void> {
  const [first] = stages;
  if (first === undefined) return;
  const warmUp: RateStage = { fromPerSecond: first.fromPerSecond, toPerSecond: first.fromPerSecond, durationMs: warmUpMs };
  let startMs = 0;
  let expected = 0;
  // An even spacing begins half a space in, so that stages of whole counts hold whole counts.
  let due = spacing === 'even' ? 0.5 : -Math.log(1 - random());
  for (const stage of [warmUp, ...stages]) {
    const ends = expected + expectedArrivals([stage]);
    for (; due < ends; due += spacing === 'even' ? 1 : -Math.log(1 - random())) yield startMs + momentOf(stage, due - expected);
    startMs += stage.durationMs;
    expected = ends;
  }
}

/** How many requests arrive over these stages, on average. */
export const expectedArrivals = (stages: readonly RateStage[]): number =>
  stages.reduce((sum, { fromPerSecond, toPerSecond, durationMs }) => sum + ((fromPerSecond + toPerSecond) / 2) * (durationMs / 1_000), 0);

/** The most requests a second there are at any moment. */
export const highestRate = ({ stages }: Pick<OpenLoad, 'stages'>): number =>
  Math.max(...stages.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond]));

/** Users enough that one is free as long as answers take no longer than a second: slower than that fails any limit anyway. */
export const usersFor = (perSecond: number): number => Math.max(1, Math.ceil(perSecond));

/** Milliseconds into a stage at which its expected count reaches that much: the root of from·t + slope·t²/2 that does not cancel. */
function momentOf({ fromPerSecond, toPerSecond, durationMs }: RateStage, count: number): number {
  const slope = (toPerSecond - fromPerSecond) / (durationMs / 1_000);
  // Rounding may carry the last arrival of a ramp to nothing below zero.
  const root = Math.sqrt(Math.max(0, fromPerSecond ** 2 + 2 * slope * count));
  return Math.min(durationMs, (1_000 * 2 * count) / (fromPerSecond + root));
}

/** Every n-th of a sequence, beginning with one of the first n: the share of one of n processes. */
export function* everyNth<T>(items: Iterable<T>, n: number, first: number): Generator<T, void> {
  let index = 0;
  for (const item of items) if (index++ % n === first) yield item;
}
