import { mean } from '../judge/rounds.ts';
import { shiftOf } from '../judge/sign-flip.ts';
import { isSame, type Played, type PoolSetting } from './window.ts';

/** What one setting has less than others, round by round, as the natural logarithm of the ratio; and what that says. */
export type Loss = {
  readonly setting: PoolSetting;
  readonly middle: number;
  /** Losses that the rounds do not refuse, by the exact sign-flip test; infinite when they are too few. */
  readonly interval: readonly [number, number];
  /** `tied`: surely less than the margin; `worse`: surely more than half of it, and by its middle more than all of it. */
  readonly finding: 'tied' | 'worse' | 'open';
};

/** Stands for no right answer at all, of which there is no logarithm. */
const almostNothing = 0.01;
/** What is lost by a twentieth or less counts as equal: nobody would notice. */
export const margin = -Math.log(0.95);
export const confidence = 0.9;
/** With fewer no sign-flip test refuses anything at that confidence. */
export const minRounds = 5;

const speedOf = ({ perSecond }: Played): number => Math.max(perSecond, almostNothing);

/** A setting beside others: in every round beside the geometric mean of those that were played in it, itself left out. */
export function lossOf(setting: PoolSetting, references: readonly PoolSetting[], played: readonly Played[]): Loss {
  const others = references.filter((one) => !isSame(one, setting));
  if (others.length === 0) return { setting, middle: 0, interval: [0, 0], finding: 'tied' };
  const ratios = logRatios(others, setting, played, speedOf);
  const { middle, bounds } = shiftOf(ratios, confidence);
  return { setting, middle, interval: bounds, finding: findingOf(middle, bounds) };
}

function findingOf(loss: number, [low, high]: readonly [number, number]): Loss['finding'] {
  if (high < margin) return 'tied';
  return low > margin / 2 && loss > margin ? 'worse' : 'open';
}

/** Of the geometric mean of some settings to one, for every round in which it was played with one of them at least. */
export function logRatios(
  of: readonly PoolSetting[],
  to: PoolSetting,
  played: readonly Played[],
  read: (window: Played) => number | null,
): number[] {
  return [...Map.groupBy(played, ({ round }) => round).values()].flatMap((round) => {
    const logs = (settings: readonly PoolSetting[]): number[] =>
      round.flatMap((window) => (settings.some((one) => isSame(one, window.setting)) ? Math.log(read(window) ?? Number.NaN) : []));
    const [above, below] = [logs(of), logs([to])];
    return above.length > 0 && below.length > 0 ? [mean(above) - mean(below)].filter(Number.isFinite) : [];
  });
}

/** Geometric mean of the throughputs of a setting. */
export function throughputOf(setting: PoolSetting, played: readonly Played[]): number {
  const logs = played.flatMap((window) => (isSame(window.setting, setting) ? [Math.log(speedOf(window))] : []));
  return logs.length === 0 ? 0 : Math.exp(mean(logs));
}

/** The settings that are, by their means, no further from the fastest than the margin. */
export function plateauOf(settings: readonly PoolSetting[], played: readonly Played[]): PoolSetting[] {
  const most = Math.max(...settings.map((setting) => throughputOf(setting, played)));
  return settings.filter((setting) => throughputOf(setting, played) >= most * Math.exp(-margin));
}
