import { showShare } from '#lib/show.ts';
import { lossOf, margin, minRounds, plateauOf, type Loss } from './standing.ts';
import { isSame, limitedBy, totalOf, type Played, type PoolSetting } from './window.ts';

/** Why no size is recommended. */
export type Refusal = {
  readonly kind: 'refusal';
  readonly reason: 'too noisy' | 'flat' | 'client limited' | 'edge of the sweep' | 'errors' | 'not confirmed';
  /** One sentence. */
  readonly says: string;
};

/** Another round, of these settings. */
export type More = { readonly kind: 'more'; readonly settings: readonly PoolSetting[] };

export type Found = {
  readonly kind: 'found';
  /** The smallest that is tied with the best. */
  readonly setting: PoolSetting;
  /** The one below it where it could be neither told from the best nor called tied. */
  readonly openBelow: PoolSetting | undefined;
  readonly losses: readonly Loss[];
};

const maxRounds = 16;
/** Half of an interval, beyond which two sizes that seem equal may be anything. */
const maxWidth = 2 * margin;
/** Of what the client can do at most: beyond, it is the client that is measured. */
const maxClientUse = 0.8;
const maxErrorShare = 0.01;

/** What the rounds of a sweep say so far. Pure. */
export function judgeSweep(sizes: readonly PoolSetting[], played: readonly Played[]): More | Found | Refusal {
  const rounds = new Set(played.map(({ round }) => round)).size;
  if (rounds < minRounds) return { kind: 'more', settings: sizes };
  const plateau = plateauOf(sizes, played);
  const losses = sizes.map((setting) => lossOf(setting, plateau, played));
  const found = losses.find(({ finding }) => finding === 'tied')?.setting ?? plateau.at(-1) ?? { size: 0, overflow: 0 };
  const unfit = unfitness(found, plateau, played);
  if (unfit) return unfit;
  const open = losses.filter(({ setting, finding }) => finding === 'open' && totalOf(setting) < totalOf(found));
  const [least] = open;
  const contenders = losses.filter(({ finding }) => finding !== 'worse');
  const width = Math.max(...contenders.map(({ interval: [low, high] }) => (high - low) / 2));
  // Of the fewest that are tried it has to be known: where they do as well, the answer is another one altogether.
  const isUnsettled = open.length > 1 || (least !== undefined && least === losses[0]) || width > maxWidth;
  if (isUnsettled && rounds < maxRounds) return { kind: 'more', settings: contenders.map(({ setting }) => setting) };
  if (width > maxWidth) return refuse('too noisy', `after ${rounds} rounds throughput is known to ± ${showShare(Math.expm1(width))} only`);
  if (least && open.length > 1) {
    const which = `the sizes from ${least.setting.size} to ${found.size} still cannot be told apart`;
    return refuse('too noisy', `after ${rounds} rounds ${which}: ${least.setting.size} ${showLoss(least)}`);
  }
  return edgeOf(losses, least?.setting ?? found, played) ?? { kind: 'found', setting: found, openBelow: least?.setting, losses };
}

/** What makes the windows themselves unfit to size a pool by. */
function unfitness(found: PoolSetting, plateau: readonly PoolSetting[], played: readonly Played[]): Refusal | undefined {
  const at = (...settings: PoolSetting[]): Played[] => played.filter(({ setting }) => settings.some((one) => isSame(one, setting)));
  const use = median(at(...plateau).map(({ clientUse }) => clientUse));
  if (use >= maxClientUse) {
    return refuse(
      'client limited',
      `where it is fastest the client did ${showShare(use)} of what it can: the service may do more than was asked of it`,
    );
  }
  const errors = median(at(found).map(({ errorShare }) => errorShare));
  if (errors <= maxErrorShare) return undefined;
  return refuse('errors', `with ${found.size} connections ${showShare(errors)} of the requests got no right answer`);
}

/** @param found the smallest that may be enough */
function edgeOf(losses: readonly Loss[], found: PoolSetting, played: readonly Played[]): Refusal | undefined {
  const [least, most] = [losses[0], losses.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  const isLeast = isSame(found, least.setting);
  if (isLeast && most.finding !== 'worse') {
    const what = limitedBy(played.filter((window) => isSame(window.setting, found)));
    return refuse(
      'flat',
      `${least.setting.size} to ${most.setting.size} connections do the same: the pool is not what limits, it is ${what}`,
    );
  }
  if (isSame(found, most.setting))
    return refuse('edge of the sweep', `it still rises at ${found.size} connections, the most that were tried`);
  if (isLeast && found.size > 1)
    return refuse('edge of the sweep', `${found.size} connections, the fewest that were tried, are enough already`);
  return undefined;
}

export const refuse = (reason: Refusal['reason'], says: string): Refusal => ({ kind: 'refusal', reason, says });

/** `loses 3.1 % (loss from −1.0 % to 7.2 %)`. */
export const showLoss = ({ middle, interval }: Loss): string =>
  `${middle < 0 ? 'gains' : 'loses'} ${showPart(Math.abs(middle))} (loss from ${interval.map(showPart).join(' to ')})`;

const showPart = (loss: number): string => (Number.isFinite(loss) ? `${(-100 * Math.expm1(-loss)).toFixed(1).replace('-', '−')} %` : 'any');

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}
