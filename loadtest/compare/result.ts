import { showCount, showShare } from '#lib/show.ts';
import { compare, type Asked, type Comparison } from '../judge/comparison.ts';
import type { Verdict } from '../judge/verdict.ts';
import { readRun, writeRun } from '../measurement/run-folder.ts';
import type { Calibration } from './calibrate-compare.ts';
import type { Turn } from './schedule.ts';
import { readPlayed } from './windows.ts';

/** What is known before the first round; with the measurements of the windows all that a verdict follows from. */
export type CompareHead = {
  readonly startedAt: string;
  /** What A and B are, for people. */
  readonly a: string;
  readonly b: string;
  /** Names of what was set on either side. */
  readonly settings: readonly string[];
  readonly seed: number;
  readonly asked: Asked;
  readonly turns: readonly Turn[];
};

/** What --calibrate found: the same side twice, once equal and once with B made slower by the effect asked for. */
export type Calibrated = Calibration & { readonly equal: Verdict; readonly slowed: Verdict };

export type CompareResult = CompareHead & Comparison & { readonly calibration: Calibrated | null };

/** What stands in the folder besides the windows. */
type Recorded = CompareHead & { readonly calibration: Calibrated | null };

export const writeComparison = (dir: string, head: CompareHead, calibration: Calibrated | null): void =>
  writeRun(dir, 'compare', { ...head, calibration } satisfies Recorded);

/** @throws {UsageError} when the folder holds no comparison, or not all of its windows */
export async function judgeFolder(dir: string): Promise<CompareResult> {
  const { calibration, ...head } = readRun(dir, 'compare') as Recorded;
  const problems = calibration === null ? [] : whatIsWanting(calibration, head.asked);
  if (problems.length > 0) return { ...head, calibration, verdict: 'INVALID', reasons: problems, metrics: [], errors: [] };
  const { rounds, circumstances } = await readPlayed(dir, head.turns, head.settings);
  return { ...head, calibration, ...compare(rounds, head.asked, circumstances) };
}

/** Beside equal sides a FAIL may come up so often; twice alpha, for it is itself an estimate. */
const maxFalseAlarms = 0.02;

/** Why comparisons of this kind would prove nothing here, one sentence each. Pure. */
export function whatIsWanting({ falseAlarms, equal, smallestEffect }: Calibrated, { effect }: Asked): string[] {
  const found = smallestEffect === null ? 'none that was tried' : showShare(smallestEffect);
  return [
    ...(equal === 'FAIL' ? ['A beside itself was a FAIL: something here favours one of two equal sides'] : []),
    ...(falseAlarms > maxFalseAlarms ? [`${showShare(falseAlarms)} of comparisons of A with itself were a FAIL`] : []),
    ...(smallestEffect === null || smallestEffect > effect
      ? [
          `the least difference that can be told is ${found}, and ${showShare(effect)} was asked for: more --rounds, a longer --duration or a quieter machine`,
        ]
      : []),
  ];
}

/** What was compared, in one line. */
export const sayHead = ({ a, b, turns, seed }: CompareResult): string => `A ${a} → B ${b}: ${turns.length} rounds (seed ${seed})`;

/** What --calibrate found, in one line; undefined where it was not asked for. */
export function sayCalibration({ calibration, asked }: CompareResult): string | undefined {
  if (calibration === null) return undefined;
  const { falseAlarms, invalid, trials, smallestEffect, equal, slowed } = calibration;
  const least = smallestEffect === null ? 'none up to double' : showShare(smallestEffect);
  return [
    `A beside itself ${equal}, made ${showShare(asked.effect)} slower ${slowed}`,
    `of ${showCount(trials)} comparisons drawn from equal rounds ${showShare(falseAlarms)} false alarms, ${showShare(invalid)} undecided`,
    `least difference told 95 times in 100: ${least}`,
  ].join(' · ');
}
