import { join } from 'node:path';
import { print, type Arguments } from '#lib/command-line.ts';
import type { Environment } from '#lib/env.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { createProgress, type Progress } from '#lib/progress.ts';
import { compactStamp } from '#lib/show.ts';
import { exitCodeOf, judge, worstVerdict } from './judge/verdict.ts';
import { createLiveLine } from './live-line.ts';
import { createMeasurementFile, readMeasurement } from './measurement/measurement-file.ts';
import { readOptions, type LoadtestOptions, type Mixes } from './options.ts';
import type { Plan } from './plans/plan.ts';
import { plans, type Gate } from './plans/plans.ts';
import { gateJson, reportJson } from './report/report-json.ts';
import { writeReport, type Finished } from './report/write-report.ts';
import { phaseOf, runPlan } from './run-plan.ts';
import { showResult } from './show-result.ts';
import { openGivenTarget, openOwnTarget } from './targets/open-target.ts';
import { guardTarget } from './targets/target-guard.ts';
import type { Target } from './targets/target.ts';

export type CommandContext = {
  readonly env: Environment;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly randomSeed: number;
  readonly now: Date;
};

/** Plays the plans of a gate to its exit code. @throws what the caller turns into one line. */
export async function runGate(gate: Gate, args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [unexpected] = args.positionals;
  if (unexpected !== undefined) throw new UsageError(`there is no plan "${unexpected}"; see npm run loadtest -- --help`);
  const options = readOptions(args, mixesOf(gate), context.randomSeed);
  const origin = options.target === undefined ? undefined : guardTarget(options.target, options.allowedHosts);
  const folder = options.outDir ?? join(import.meta.dirname, 'reports', `${compactStamp(context.now)}-${gate.name}`);
  // Before anything is started, so that nothing is measured in vain.
  createMeasurementFile(folderOf(gate, gate.plans[0], folder)).close();
  const progress = createProgress();
  try {
    const finished = await onTarget(origin, context, progress, (target) => playPlans(gate, folder, options, { target, progress, context }));
    const reports = finished.map(({ report }) => report);
    if (options.json) print((reports.length === 1 && reports[0] ? reportJson(reports[0]) : gateJson(gate.name, reports)).trimEnd());
    return exitCodeOf[worstVerdict(reports.map(({ judgement }) => judgement.verdict))];
  } catch (err) {
    if (!context.signal.aborted) throw err;
    process.stderr.write('canceled; nothing was judged\n');
    return EXIT.failed;
  } finally {
    progress.done();
  }
}

/** What can be mixed into the plans of a gate. */
export const mixesOf = (gate: Gate): Mixes => Object.assign({}, ...gate.plans.map(({ scenario }) => scenario.mixes)) as Mixes;

/** Judges a finished run again, from the file in its folder, and writes its reports anew. */
export async function reportAgain({ flags }: Arguments): Promise<ExitCode> {
  const from = flags['from'];
  if (typeof from !== 'string') throw new UsageError('report: --from DIR is missing, the folder of a run');
  const finished = await judgeAndReport(from);
  print(flags['json'] === true ? reportJson(finished.report).trimEnd() : showResult(finished));
  return exitCodeOf[finished.report.judgement.verdict];
}

async function judgeAndReport(dir: string): Promise<Finished> {
  const measurement = await readMeasurement(dir);
  const plan = plans[measurement.plan];
  if (plan === undefined) throw new UsageError(`${dir} holds a run of the plan "${measurement.plan}", which this program does not know`);
  const report = { measurement, judgement: judge(measurement, plan.judges), highlights: plan.scenario.highlights(measurement) };
  return { report, files: await writeReport(report, dir) };
}

async function onTarget<T>(
  origin: string | undefined,
  { env, signal }: CommandContext,
  progress: Progress,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  progress.update(origin === undefined ? 'starting a stack of its own…' : `looking at ${origin}…`);
  const target = origin === undefined ? await openOwnTarget(env, signal) : await openGivenTarget(origin, env);
  try {
    return await work(target);
  } finally {
    if (target.kind === 'own') progress.update('stopping the stack…');
    await target.stop();
  }
}

type Setting = { readonly target: Target; readonly progress: Progress; readonly context: CommandContext };

async function playPlans(gate: Gate, folder: string, options: LoadtestOptions, setting: Setting): Promise<Finished[]> {
  const finished: Finished[] = [];
  for (const plan of gate.plans) {
    const dir = folderOf(gate, plan, folder);
    await playPlan(plan, dir, options, setting);
    const one = await judgeAndReport(dir);
    setting.progress.done();
    if (!options.json) print(showResult(one));
    finished.push(one);
    if (one.report.judgement.verdict === 'FAIL') break;
  }
  return finished;
}

async function playPlan(plan: Plan, dir: string, { changes }: LoadtestOptions, { target, progress, context }: Setting): Promise<void> {
  const file = createMeasurementFile(dir);
  try {
    const phases = plan.phases.map((phase) => phaseOf(phase, changes));
    const hooks = createLiveLine(plan.name, phases, progress);
    await runPlan(plan, changes, target, { ...hooks, write: file.write, signal: context.signal });
  } finally {
    file.close();
  }
}

/** Several plans have a folder each, inside one. */
const folderOf = (gate: Gate, plan: Plan, folder: string): string => (gate.plans.length === 1 ? folder : join(folder, plan.name));
