import { join } from 'node:path';
import { print, type Arguments } from '#lib/command-line.ts';
import type { Environment } from '#lib/env.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { createProgress, type Progress } from '#lib/progress.ts';
import { exitCodeOf, judge, worstVerdict } from './judge/verdict.ts';
import { createLiveLine } from './live-line.ts';
import { readOptions, type LoadtestOptions } from './options.ts';
import type { Plan } from './plans/plan.ts';
import type { Programme } from './plans/plans.ts';
import { profileOf } from './prepare-run.ts';
import type { Report } from './report/report.ts';
import { writeReport, type Finished } from './report/write-report.ts';
import { runPlan } from './run-plan.ts';
import { programmeJson, resultJson, showResult } from './show-result.ts';
import { openGivenTarget, openOwnTarget } from './targets/open-target.ts';
import { installSlowQuery } from './scenarios/shop/slow-query.ts';
import { guardTarget } from './targets/target-guard.ts';
import type { Target } from './targets/target.ts';

export type CommandContext = {
  readonly env: Environment;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly randomSeed: number;
  readonly now: Date;
};

/** Runs plans from the command line to their exit code. @throws what the caller turns into one line. */
export async function runProgramme(programme: Programme, args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [unexpected] = args.positionals;
  if (unexpected !== undefined) throw new UsageError(`there is no plan "${unexpected}"; see npm run loadtest -- --help`);
  const options = readOptions(args, context.randomSeed);
  const progress = createProgress();
  try {
    const finished = await runOnTarget(programme, options, context, progress);
    if (options.json) print(finished.length === 1 && finished[0] ? resultJson(finished[0]) : programmeJson(programme.name, finished));
    return exitCodeOf[worstVerdict(finished.map(({ report }) => report.judgement.verdict))];
  } catch (err) {
    if (!context.signal.aborted) throw err;
    process.stderr.write('canceled; nothing was judged\n');
    return EXIT.failed;
  } finally {
    progress.done();
  }
}

async function runOnTarget(
  programme: Programme,
  options: LoadtestOptions,
  context: CommandContext,
  progress: Progress,
): Promise<Finished[]> {
  const { env, signal } = context;
  const origin = options.target === undefined ? undefined : guardTarget(options.target, options.allowedHosts);
  progress.update(origin === undefined ? 'starting a stack of its own…' : `looking at ${origin}…`);
  const target = origin === undefined ? await openOwnTarget(env, signal) : await openGivenTarget(origin, env);
  const finished: Finished[] = [];
  try {
    await mixIn(options.changes.mix, target);
    for (const plan of programme.plans) {
      const report = await measureAndJudge(plan, options, { target, signal, progress });
      const dir = outDir(programme, plan, options, context.now);
      const files = await writeReport(report, dir);
      progress.done();
      if (!options.json) print(showResult(report, files));
      finished.push({ report, files });
      if (report.judgement.verdict === 'FAIL') break;
    }
    return finished;
  } finally {
    if (target.kind === 'own') progress.update('stopping the stack…');
    await target.stop();
  }
}

type Setting = { readonly target: Target; readonly signal: AbortSignal; readonly progress: Progress };

async function measureAndJudge(plan: Plan, options: LoadtestOptions, { target, signal, progress }: Setting): Promise<Report> {
  const profile = profileOf(plan, options.changes);
  const measurement = await runPlan(plan, profile, target, { ...createLiveLine(plan.name, profile, progress), signal });
  return { measurement, thresholds: plan.thresholds, judgement: judge(measurement, plan.thresholds) };
}

async function mixIn(mix: readonly string[], { kind, postgres }: Target): Promise<void> {
  if (mix.includes('slow-query') && kind === 'own' && postgres !== undefined) await installSlowQuery(postgres);
}

/** Several plans have a folder each, inside one. */
function outDir(programme: Programme, plan: Plan, options: LoadtestOptions, now: Date): string {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const dir = options.outDir ?? join(import.meta.dirname, 'reports', `${time}-${programme.name}`);
  return programme.plans.length === 1 ? dir : join(dir, plan.name);
}
