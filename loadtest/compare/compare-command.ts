import { join } from 'node:path';
import { playRun, tell, type CommandContext, type MakeVerb, type Run } from '../command.ts';
import { compare } from '../judge/comparison.ts';
import type { RunReport } from '../report/run-report.ts';
import { calibrateFrom } from './calibrate-compare.ts';
import { compareFlags, compareHelp, readCompareOptions, type CompareOptions } from './compare-options.ts';
import { comparePlan } from './compare-plan.ts';
import { createOpener, slowed, type Opener } from './open-sides.ts';
import { playRounds, type Openers } from './play-rounds.ts';
import { judgeFolder, whatIsWanting, writeComparison, type Calibrated } from './result.ts';
import { scheduleOf } from './schedule.ts';
import { comparisonReport } from './show-comparison.ts';
import { readPlayed } from './windows.ts';

/** `compare`: is B worse than A? */
export const compareVerb: MakeVerb = (context) => ({
  synopsis: '--a A --b B [options]',
  summary: 'Plays two services, settings or git refs in turn on this machine, and says whether the second is worse.',
  options: compareFlags,
  footer: compareHelp,
  positionals: [0, 0],
  run: async (args) => {
    const { from, json } = args.flags;
    if (typeof from === 'string') return tell(await judgeComparison(from), from, json === true);
    return playRun(compareRun(readCompareOptions(args, context.randomSeed)), args, context);
  },
});

/** The verdict of the rounds in a folder. @throws {UsageError} when it holds no comparison, or not all of its windows */
export const judgeComparison = async (dir: string): Promise<RunReport> => comparisonReport(await judgeFolder(dir));

const compareRun = (options: CompareOptions): Run => ({
  name: 'compare',
  judge: judgeComparison,
  play: async (dir, context, progress) => {
    const openers: Opener[] = [];
    const openerOf = async (side: CompareOptions['a']): Promise<Opener['open']> => {
      const opener = await createOpener(side, context, options.paths === undefined);
      openers.push(opener);
      return opener.open;
    };
    try {
      const sides = { a: await openerOf(options.a), b: await openerOf(options.b) };
      await playAll(sides, options, { dir, context, onStep: (step) => progress.update(`compare: ${step}…`) });
    } finally {
      for (const { remove } of openers) await remove();
    }
  },
});

type Setting = { readonly dir: string; readonly context: CommandContext; readonly onStep: (step: string) => void };

async function playAll(sides: Openers, options: CompareOptions, { dir, context, onStep }: Setting): Promise<void> {
  const { a, b, paths, asked, changes, rounds, isCalibrated } = options;
  // What runs already stays where it is.
  const turns = scheduleOf(rounds, changes.seed).map((turn) => (a.kind === 'target' ? { ...turn, isSwapped: false } : turn));
  const common = {
    plan: comparePlan({ paths, windowMs: changes.durationMs, isSaturating: changes.thinkMs?.[1] === 0 }),
    changes,
    turns,
    signal: context.signal,
  };
  const settings = [...new Set([a, b].flatMap((side) => (side.kind === 'settings' ? Object.keys(side.settings) : [])))];
  const head = {
    startedAt: context.now.toISOString(),
    a: a.says,
    b: b.says,
    settings,
    seed: changes.seed,
    asked,
    turns,
  } as const;
  writeComparison(dir, head, null);
  if (isCalibrated) {
    const calibrated = await calibrate({ ...common, open: sides.a }, options, { dir, context, onStep });
    writeComparison(dir, head, calibrated);
    if (whatIsWanting(calibrated, asked).length > 0) return;
  }
  await playRounds({ ...common, openers: sides, dir, onStep });
}

type Common = Omit<Parameters<typeof playRounds>[0], 'openers' | 'dir' | 'onStep'> & { readonly open: Opener['open'] };

/** Compares A with itself, and then with itself made slower by the effect that is to be told. */
async function calibrate({ open, ...common }: Common, { asked }: CompareOptions, { dir, onStep }: Setting): Promise<Calibrated> {
  const playAs = async (name: string, openers: Openers): Promise<Awaited<ReturnType<typeof readPlayed>>> => {
    const folder = join(dir, name);
    await playRounds({ ...common, openers, dir: folder, onStep: (step) => onStep(`calibration, ${name}: ${step}`) });
    return readPlayed(folder, common.turns, []);
  };
  const equal = await playAs('equal', { a: open, b: open });
  onStep('calibration: judging');
  const found = calibrateFrom(equal.rounds, asked, common.changes.seed);
  const slow = await playAs('slowed', { a: slowed(open, 0), b: slowed(open, asked.effect) });
  return {
    ...found,
    equal: compare(equal.rounds, asked, equal.circumstances).verdict,
    slowed: compare(slow.rounds, asked, slow.circumstances).verdict,
  };
}
