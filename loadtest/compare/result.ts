import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '#lib/errors.ts';
import { showShare } from '#lib/show.ts';
import { compare, type Asked, type Comparison } from '../judge/comparison.ts';
import { exitCodeOf, type Verdict } from '../judge/verdict.ts';
import type { Calibration } from './calibrate-compare.ts';
import type { Turn } from './schedule.ts';
import { readPlayed } from './windows.ts';

/** What is known before the first round; with the measurements of the windows all that a verdict follows from. */
export type CompareHead = {
  readonly version: 1;
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

const headFile = 'compare.json';
const calibrationFile = 'calibration.json';
const toJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export const writeHead = (head: CompareHead, dir: string): Promise<void> => writeFile(join(dir, headFile), toJson(head));

export const writeCalibration = (found: Calibrated, dir: string): Promise<void> => writeFile(join(dir, calibrationFile), toJson(found));

/** @throws {UsageError} when the folder holds no comparison, or not all of its windows */
export async function judgeFolder(dir: string): Promise<CompareResult> {
  const head = await read<CompareHead>(dir, headFile);
  if (head?.version !== 1) throw new UsageError(`${dir} holds no comparison that this program knows`);
  const calibration = (await read<Calibrated>(dir, calibrationFile)) ?? null;
  const problems = calibration === null ? [] : whatIsWanting(calibration, head.asked);
  if (problems.length > 0) return { ...head, calibration, verdict: 'INVALID', reasons: problems, metrics: [], errors: [] };
  const { rounds, circumstances } = await readPlayed(dir, head.turns, head.settings);
  return { ...head, calibration, ...compare(rounds, head.asked, circumstances) };
}

const read = <T>(dir: string, file: string): Promise<T | undefined> =>
  readFile(join(dir, file), 'utf8').then(
    (text) => JSON.parse(text) as T,
    () => undefined,
  );

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

/** For programs. */
export const resultJson = (result: CompareResult): string => toJson({ exitCode: exitCodeOf[result.verdict], ...result });
