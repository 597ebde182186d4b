import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgress, print, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { compactStamp } from '#lib/show.ts';
import { compare } from '../judge/comparison.ts';
import { exitCodeOf } from '../judge/verdict.ts';
import { makeOutFolder } from '../measurement/measurement-file.ts';
import type { CommandContext, MakeVerb } from '../target-command.ts';
import { calibrateFrom } from './calibrate-compare.ts';
import { compareFlags, compareHelp, readCompareOptions, type CompareOptions } from './compare-options.ts';
import { comparePlan } from './compare-plan.ts';
import { comparisonHtml } from './comparison-html.ts';
import { createOpener, slowed, type Opener } from './open-sides.ts';
import { playRounds, type Openers } from './play-rounds.ts';
import { judgeFolder, resultJson, whatIsWanting, writeCalibration, writeHead, type Calibrated } from './result.ts';
import { scheduleOf } from './schedule.ts';
import { comparisonMarkdown, showComparison } from './show-comparison.ts';
import { readPlayed } from './windows.ts';

/** `compare`: is B worse than A? */
export const compareVerb: MakeVerb = (context) => ({
  synopsis: '--a A --b B [options]',
  summary: 'Plays two services, settings or git refs in turn on this machine, and says whether the second is worse.',
  options: compareFlags,
  footer: compareHelp,
  positionals: [0, 0],
  run: (args) =>
    typeof args.flags['from'] === 'string' ? finish(args.flags['from'], args.flags['json'] === true) : runCompare(args, context),
});

async function runCompare(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const options = readCompareOptions(args, context.randomSeed);
  const dir = options.outDir ?? join(import.meta.dirname, '../reports', `${compactStamp(context.now)}-compare`);
  // Before anything is started, so that nothing is measured in vain.
  makeOutFolder(dir);
  const progress = createProgress();
  const openers: Opener[] = [];
  const openerOf = async (side: CompareOptions['a']): Promise<Opener['open']> => {
    const opener = await createOpener(side, context, options.paths === undefined);
    openers.push(opener);
    return opener.open;
  };
  try {
    const sides = { a: await openerOf(options.a), b: await openerOf(options.b) };
    await playAll(sides, options, { dir, context, onStep: (step) => progress.update(`compare: ${step}…`) });
  } catch (err) {
    if (!context.signal.aborted) throw err;
    progress.done();
    process.stderr.write('canceled; nothing was judged\n');
    return EXIT.failed;
  } finally {
    progress.done();
    for (const { remove } of openers) await remove();
  }
  return finish(dir, options.json);
}

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
    version: 1,
    startedAt: context.now.toISOString(),
    a: a.says,
    b: b.says,
    settings,
    seed: changes.seed,
    asked,
    turns,
  } as const;
  await writeHead(head, dir);
  if (isCalibrated) {
    const calibrated = await calibrate({ ...common, open: sides.a }, options, { dir, context, onStep });
    await writeCalibration(calibrated, dir);
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

/** Judges what stands in the folder, writes the reports and says the verdict. */
async function finish(dir: string, json: boolean): Promise<ExitCode> {
  const result = await judgeFolder(dir);
  const page = join(dir, 'report.html');
  await Promise.all([
    writeFile(page, await comparisonHtml(result)),
    writeFile(join(dir, 'report.json'), resultJson(result)),
    writeFile(join(dir, 'summary.md'), comparisonMarkdown(result)),
  ]);
  print(json ? resultJson(result).trimEnd() : showComparison(result, page));
  return exitCodeOf[result.verdict];
}
