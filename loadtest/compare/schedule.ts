import { createRandom } from '../generate/random.ts';

/** How a round is played. */
export type Turn = {
  readonly first: 'a' | 'b';
  /** In the second half of the rounds A is where B was and B where A was. */
  readonly isSwapped: boolean;
};

/** Of all random numbers of a run. */
const stream = -1;

/**
 * The order of all rounds, from the seed alone. Which side comes first is chance, so that nothing that changes while a machine
 * runs can keep step with it; in either half both come first equally often, so that what the second of a pair suffers from the
 * first cancels.
 * @param rounds even, so that either half has as many
 */
export function scheduleOf(rounds: number, seed: number): Turn[] {
  const random = createRandom(seed, stream);
  return [false, true].flatMap((isSwapped) => {
    const half = Array.from({ length: rounds / 2 }, (_, i) => ({ first: i % 2 === 0 ? 'a' : 'b', isSwapped }) as const);
    // A half of an odd number of rounds has one more of either, by chance.
    const flip = random() < 0.5;
    const turns = half.map((turn): Turn => (flip ? { ...turn, first: turn.first === 'a' ? 'b' : 'a' } : turn));
    return turns
      .map((turn) => ({ turn, key: random() }))
      .toSorted((one, other) => one.key - other.key)
      .map(({ turn }) => turn);
  });
}
