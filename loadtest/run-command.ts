import { join } from 'node:path';
import { print, type Arguments } from '#lib/command-line.ts';
import type { Environment } from '#lib/env.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { createProgress } from '#lib/progress.ts';
import { exitCodeOf, judge } from './judge/verdict.ts';
import { createLiveLine } from './live-line.ts';
import { readOptions, type LoadtestOptions } from './options.ts';
import type { Plan } from './plans/plan.ts';
import { profileOf } from './prepare-run.ts';
import type { Report } from './report/report.ts';
import { writeReport } from './report/write-report.ts';
import { runPlan } from './run-plan.ts';
import { resultJson, showResult } from './show-result.ts';
import { openGivenTarget, openOwnTarget } from './target/open-target.ts';
import { installSlowQuery } from './target/slow-query.ts';
import { guardTarget } from './target/target-guard.ts';
import type { Target } from './target/target.ts';

export type CommandContext = {
  readonly env: Environment;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly randomSeed: number;
  readonly now: Date;
};

/** Runs one plan from the command line to its exit code. @throws what the caller turns into one line. */
export async function runPlanCommand(plan: Plan, args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [unexpected] = args.positionals;
  if (unexpected !== undefined) throw new UsageError(`there is no plan "${unexpected}"; see npm run loadtest -- --help`);
  const options = readOptions(args, context.randomSeed);
  const progress = createProgress();
  try {
    const report = await measureAndJudge(plan, options, context, progress);
    const files = await writeReport(report, options.outDir ?? defaultOutDir(plan, context.now));
    progress.done();
    print(options.json ? resultJson(report, files) : showResult(report, files));
    return exitCodeOf[report.judgement.verdict];
  } catch (err) {
    if (!context.signal.aborted) throw err;
    process.stderr.write('canceled; nothing was judged\n');
    return EXIT.failed;
  } finally {
    progress.done();
  }
}

async function measureAndJudge(
  plan: Plan,
  options: LoadtestOptions,
  { env, signal }: CommandContext,
  progress: ReturnType<typeof createProgress>,
): Promise<Report> {
  const profile = profileOf(plan, options.changes);
  const live = createLiveLine(plan.name, profile, progress);
  const origin = options.target === undefined ? undefined : guardTarget(options.target, options.allowedHosts);
  live.onPhase(origin === undefined ? 'starting a stack of its own' : `looking at ${origin}`);
  const target = origin === undefined ? await openOwnTarget(env, signal) : await openGivenTarget(origin, env);
  try {
    await mixIn(options.changes.mix, target);
    const measurement = await runPlan(plan, profile, target, { ...live, signal });
    return { measurement, thresholds: plan.thresholds, judgement: judge(measurement, plan.thresholds) };
  } finally {
    if (target.kind === 'own') live.onPhase('stopping the stack');
    await target.stop();
  }
}

async function mixIn(mix: readonly string[], { kind, postgres }: Target): Promise<void> {
  if (mix.includes('slow-query') && kind === 'own' && postgres !== undefined) await installSlowQuery(postgres);
}

const defaultOutDir = (plan: Plan, now: Date): string =>
  join(import.meta.dirname, 'reports', `${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${plan.name}`);
