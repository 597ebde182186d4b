/** Numbers in [0, 1). */
export type Random = () => number;

/**
 * A seeded source of randomness: the same seed and stream always give the same numbers, whatever else runs. Each
 * virtual user has a stream of its own, so that no user's choices depend on how fast another is answered.
 * (mulberry32; good enough to choose products by, not for secrets.)
 */
export function createRandom(seed: number, stream: number): Random {
  let state = scatter(scatter(seed) + Math.imul(stream + 1, 0x9e37_79b9));
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Spreads near numbers far apart and keeps different ones different (the finalizer of MurmurHash3). */
function scatter(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

/** A whole number from `least` to `most`, both included. */
export function randomInt(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/**
 * One item of a list.
 * @throws {RangeError} when the list is empty.
 */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}

/**
 * One item of a list whose first are popular: the item of rank r is chosen about 1/r as often as the first (Zipf's law, as
 * shops and pages find it), by the inverse of a logarithm.
 * @throws {RangeError} when the list is empty.
 */
export function pickPopular<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor((items.length + 1) ** random()) - 1];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}

/** One key of a table of weights, chosen in proportion to its weight. */
export function pickWeighted<K extends string>(random: Random, weights: Readonly<Record<K, number>>): K {
  const entries = Object.entries(weights) as [K, number][];
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [key, weight] of entries) {
    left -= weight;
    if (left < 0) return key;
  }
  throw new RangeError('no weight is above 0');
}
