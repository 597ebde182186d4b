import { shiftOf } from '../judge/sign-flip.ts';
import { confidence, logRatios, lossOf, margin, minRounds, type Loss } from './standing.ts';
import { refuse, showLoss, type Found, type More, type Refusal } from './sweep.ts';
import { isSame, totalOf, type Played, type PoolSetting } from './window.ts';

/** A size that was applied and measured again, beside half of it, twice as much, and what is configured. */
export type Confirmed = {
  readonly kind: 'confirmed';
  readonly setting: PoolSetting;
  /** What each of the others loses against it. */
  readonly beside: readonly Loss[];
};

const maxRounds = 10;
/** A p95 that is worse by that much is told as worse. */
const p95Margin = Math.log(1.1);

/** What is played in the rounds held out. */
export function contendersOf(setting: PoolSetting, configured: PoolSetting): PoolSetting[] {
  const half = Math.floor(totalOf(setting) / 2);
  const all = [setting, ...(half > 0 ? [fixed(half)] : []), fixed(2 * totalOf(setting)), configured];
  return all.filter((one, i) => all.findIndex((other) => isSame(one, other)) === i);
}

const fixed = (size: number): PoolSetting => ({ size, overflow: 0 });

/** Whether rounds that had no part in finding a size confirm it. Pure. */
export function judgeHeldOut(
  { setting, openBelow }: Found,
  configured: PoolSetting,
  played: readonly Played[],
): More | Confirmed | Refusal {
  const contenders = contendersOf(setting, configured);
  const rounds = new Set(played.map(({ round }) => round)).size;
  if (rounds < minRounds) return { kind: 'more', settings: contenders };
  const half = fixed(Math.floor(totalOf(setting) / 2));
  const isHalfEnough = half.size > 0 && !isSame(half, configured) && lossOf(half, [setting], played).finding === 'tied';
  if (isHalfEnough && (openBelow === undefined || !isSame(half, openBelow))) {
    return refuse('not confirmed', `in the sweep ${setting.size} connections were needed; measured again, ${half.size} did as well`);
  }
  const answer = isHalfEnough ? half : setting;
  const beside = contenders.filter((one) => !isSame(one, answer)).map((one) => lossOf(one, [answer], played));
  return contradiction(answer, beside, played) ?? settle(answer, beside, { rounds, contenders });
}

/** What does clearly better than the answer. */
function contradiction(answer: PoolSetting, beside: readonly Loss[], played: readonly Played[]): Refusal | undefined {
  const better = beside.find(({ interval: [, high] }) => high < -margin);
  if (better)
    return refuse(
      'not confirmed',
      `measured again, ${totalOf(better.setting)} connections did better than ${answer.size}: it ${showLoss(better)}`,
    );
  const quicker = beside.find(({ setting }) => {
    const { middle, bounds } = shiftOf(
      logRatios([answer], setting, played, ({ p95Ms }) => p95Ms),
      confidence,
    );
    return middle > p95Margin && bounds[0] > 0;
  });
  if (quicker === undefined) return undefined;
  return refuse(
    'not confirmed',
    `measured again, the p95 of ${totalOf(quicker.setting)} connections was more than a tenth below that of ${answer.size}`,
  );
}

type Circumstances = { readonly rounds: number; readonly contenders: readonly PoolSetting[] };

/** Larger ones must surely not be better by twice the margin; that half of it is worse the sweep has shown. */
function settle(answer: PoolSetting, beside: readonly Loss[], { rounds, contenders }: Circumstances): More | Confirmed | Refusal {
  const open = beside.find(({ setting, interval: [low] }) => totalOf(setting) > totalOf(answer) && low <= -2 * margin);
  if (open === undefined) return { kind: 'confirmed', setting: answer, beside };
  if (rounds < maxRounds) return { kind: 'more', settings: contenders };
  return refuse(
    'too noisy',
    `after ${rounds} rounds more it cannot be told whether ${totalOf(open.setting)} connections do better: it ${showLoss(open)}`,
  );
}
