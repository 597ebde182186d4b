import { createRandom } from '../generate/random.ts';
import { judgeHeldOut, type Confirmed } from './held-out.ts';
import { judgeSweep, type Found, type More, type Refusal } from './sweep.ts';
import { isSame, type Played, type PoolSetting, type Stage } from './window.ts';

export type Question = {
  /** To be tried, without overflow; ascending. */
  readonly sizes: readonly number[];
  /** What runs now, and has to be as good. */
  readonly configured: PoolSetting;
  readonly seed: number;
};

export type Next =
  | { readonly kind: 'play'; readonly stage: Stage; readonly round: number; readonly setting: PoolSetting }
  | { readonly kind: 'answer'; readonly found: Found; readonly confirmed: Confirmed }
  | Refusal;

/**
 * The course of a sizing: rounds over all sizes until the smallest that does as well as the best is known, then rounds that had
 * no part in that. Pure: the same windows give the same next step, or the same answer.
 */
export function nextStep(played: readonly Played[], { sizes, configured, seed }: Question): Next {
  const settings = sizes.map((size): PoolSetting => ({ size, overflow: 0 }));
  const step = stepOf('sweep', played, seed, (rounds) => judgeSweep(settings, rounds));
  if (step.kind !== 'found') return step;
  const confirmed = stepOf('held-out', played, seed, (rounds) => judgeHeldOut(step, configured, rounds));
  return confirmed.kind === 'confirmed' ? { kind: 'answer', found: step, confirmed } : confirmed;
}

/** The window to play next in a stage; where its rounds suffice, what they say. */
function stepOf<T extends Found | Confirmed>(
  stage: Stage,
  all: readonly Played[],
  seed: number,
  judge: (rounds: readonly Played[]) => More | T | Refusal,
): Exclude<Next, { kind: 'answer' }> | T {
  const played = all.filter((window) => window.stage === stage);
  const round = played.at(-1)?.round ?? 0;
  // What belongs to a round that was begun follows from those before it.
  const begun = judge(played.filter((window) => window.round < round));
  const isLeft = (setting: PoolSetting): boolean => !played.some((one) => one.round === round && isSame(one.setting, setting));
  const left = begun.kind === 'more' ? orderOf(begun.settings, { stage, round, seed }).find(isLeft) : undefined;
  if (left) return { kind: 'play', stage, round, setting: left };
  const now = judge(played);
  if (now.kind !== 'more') return now;
  const [first] = orderOf(now.settings, { stage, round: round + 1, seed });
  if (first === undefined) throw new RangeError('there is no size to try');
  return { kind: 'play', stage, round: round + 1, setting: first };
}

/**
 * In an order that is chance, by the seed, and in the next round the other way round: what changes steadily while a machine runs
 * meets all settings alike.
 */
function orderOf(settings: readonly PoolSetting[], { stage, round, seed }: { stage: Stage; round: number; seed: number }): PoolSetting[] {
  const random = createRandom(seed, (stage === 'sweep' ? 0 : 1_000) + (round >> 1));
  const shuffled = settings.map((setting) => ({ setting, key: random() })).toSorted((a, b) => a.key - b.key);
  const order = shuffled.map(({ setting }) => setting);
  return round % 2 === 0 ? order : order.toReversed();
}
