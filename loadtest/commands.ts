import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { print, type Arguments, type Progress } from '#lib/command-line.ts';
import { UsageError } from '#lib/errors.ts';
import type { ExitCode } from '#lib/exit-codes.ts';
import { compactStamp } from '#lib/show.ts';
import { exitCodeOf, judge, worstVerdict } from './judge/verdict.ts';
import { judgeK6, readK6Summary, showK6 } from './k6/k6-summary.ts';
import { liveLines } from './live/live-lines.ts';
import { createLiveView } from './live/live-view.ts';
import { openWatch, type Watch } from './live/watch-server.ts';
import { createMeasurementFile, readMeasurement, type Entry } from './measurement/measurement-file.ts';
import { flags, optionsHelp, readOptions, type LoadtestOptions, type Mixes } from './options.ts';
import { phasesOf } from './plans/phase-of.ts';
import type { Plan } from './plans/plan.ts';
import { journeysPlan } from './plans/journeys.ts';
import { planOf, plans, type Gate } from './plans/plans.ts';
import { compareWithBaseline, readBaseline, type Baseline } from './report/baseline.ts';
import type { Report } from './report/report.ts';
import { gateJson, reportJson } from './report/report-json.ts';
import { writeReport, type Finished } from './report/write-report.ts';
import { runPlan } from './run-plan.ts';
import { readJourneys } from './scenarios/journeys/read-journeys.ts';
import { showResult } from './show-result.ts';
import { onTarget, originOf, type CommandContext, type MakeVerb } from './target-command.ts';
import type { Target } from './targets/target.ts';

/** A command that plays the plans of a gate. */
export const gateVerb =
  (gate: Gate): MakeVerb =>
  (context) => ({
    synopsis: '[options]',
    summary: gate.summary,
    options: flags,
    footer: optionsHelp(mixesOf(gate)),
    positionals: [0, 1],
    run: (args) => runGate(gate, args, context),
  });

/** A command that plays what a file of journeys says. */
export const journeysVerb: MakeVerb = (context) => ({
  synopsis: '--file F.yaml [options]',
  summary: 'Any API: journeys, what must hold of their answers, load and limits from a YAML file; see docs/journeys.md.',
  options: { ...flags, file: { type: 'string' } },
  footer: optionsHelp({}),
  positionals: [0, 0],
  run: async (args) => {
    const { file } = args.flags;
    if (typeof file !== 'string') throw new UsageError('journeys: --file F.yaml is missing, a file of journeys; see docs/journeys.md');
    const plan = journeysPlan(await readJourneys(file, context.env));
    return runGate({ name: plan.name, summary: plan.summary, plans: [plan] }, args, { ...context, isKeyNeeded: false });
  },
});

/** Judges a finished run again, from the file in its folder, and writes its reports anew; or what k6 measured. */
export const reportVerb: MakeVerb = () => ({
  synopsis: '--from DIR|FILE [--baseline FILE|DIR] [--plan NAME] [--json]',
  summary: 'Judges the run in that folder again and writes its reports anew; or a summary of k6, by the budget of --plan.',
  options: { from: { type: 'string' }, baseline: { type: 'string' }, plan: { type: 'string' }, json: { type: 'boolean' } },
  positionals: [0, 0],
  run: async ({ flags: { from, baseline, plan: planName, json } }) => {
    if (typeof from !== 'string') throw new UsageError('report: --from DIR is missing, the folder of a run');
    if ((await stat(from).catch(() => undefined))?.isFile() === true) return judgeSummary(from, planName, json === true);
    const readEarlier = async (plan: string): Promise<Baseline | undefined> =>
      typeof baseline === 'string' ? readBaseline(baseline, plan) : undefined;
    const finished = await judgeAndReport(from, readEarlier);
    print(json === true ? reportJson(finished.report).trimEnd() : showResult(finished));
    return exitCodeOf[finished.report.judgement.verdict];
  },
});

/** Judges what k6 measured by the budget of a plan. */
async function judgeSummary(path: string, planName: string | boolean | undefined, isJson: boolean): Promise<ExitCode> {
  const plan = typeof planName === 'string' ? plans[planName] : undefined;
  if (plan === undefined)
    throw new UsageError(`report --from ${path}: --plan NAME says by whose budget; known: ${Object.keys(plans).join(', ')}`);
  const judgement = judgeK6(plan.name, plan.budget, readK6Summary(path, await readFile(path, 'utf8')));
  print(isJson ? JSON.stringify(judgement, null, 2) : showK6(judgement));
  return exitCodeOf[judgement.verdict];
}

/** Plays the plans of a gate to its exit code. @throws what the caller turns into one line. */
async function runGate(gate: Gate, args: Arguments, context: CommandContext): Promise<ExitCode> {
  const options = readOptions(args, mixesOf(gate), context.randomSeed);
  if (options.changes.rate && gate.plans.some(({ course }) => course)) throw new UsageError(`--rate: ${gate.name} finds the rates itself`);
  const origin = originOf(options);
  const folder = options.outDir ?? join(import.meta.dirname, 'reports', `${compactStamp(context.now)}-${gate.name}`);
  // Before anything is started, so that nothing is measured in vain, and before the folder of that run may be written anew.
  const baselines = await readBaselines(gate, options.baseline);
  createMeasurementFile(folderOf(gate, gate.plans[0], folder)).close();
  return watched(options.watchPort, (watch) =>
    onTarget(origin, context, async (target, progress) => {
      const finished = await playPlans(gate, folder, options, { target, progress, watch, context, baselines });
      const reports = finished.map(({ report }) => report);
      if (options.json) print((reports.length === 1 && reports[0] ? reportJson(reports[0]) : gateJson(gate.name, reports)).trimEnd());
      return exitCodeOf[worstVerdict(reports.map(({ judgement }) => judgement.verdict))];
    }),
  );
}

/** Plays beside the page that was asked for, which goes with the run however that ends. */
async function watched(port: number | undefined, work: (watch: Watch | undefined) => Promise<ExitCode>): Promise<ExitCode> {
  if (port === undefined) return work(undefined);
  const watch = await openWatch(port);
  process.stderr.write(`watch it at ${watch.origin}\n`);
  let says = 'ended without a verdict';
  try {
    const exitCode = await work(watch);
    says = Object.entries(exitCodeOf).find(([, code]) => code === exitCode)?.[0] ?? says;
    return exitCode;
  } finally {
    await watch.end(says);
  }
}

/** What can be mixed into the plans of a gate. */
export const mixesOf = (gate: Gate): Mixes => Object.assign({}, ...gate.plans.map(({ scenario }) => scenario.mixes)) as Mixes;

/** The earlier run of each plan, by its name; none where none was asked for. */
async function readBaselines(gate: Gate, path: string | undefined): Promise<Baselines> {
  if (path === undefined) return new Map();
  return new Map(await Promise.all(gate.plans.map(async ({ name }) => [name, await readBaseline(path, name)] as const)));
}

type Baselines = ReadonlyMap<string, Baseline>;

async function judgeAndReport(dir: string, baselineOf: (plan: string) => Promise<Baseline | undefined>): Promise<Finished> {
  const measurement = await readMeasurement(dir);
  const plan = planOf(measurement.plan);
  if (plan === undefined) throw new UsageError(`${dir} holds a run of the plan "${measurement.plan}", which this program does not know`);
  const highlights = [...(plan.highlights?.(measurement) ?? []), ...plan.scenario.highlights(measurement)];
  const judgement = judge(measurement, plan.judges);
  const earlier = await baselineOf(plan.name);
  const baseline = earlier && compareWithBaseline(measurement, judgement.figures, earlier);
  const report: Report = { measurement, judgement, highlights, baseline };
  return { report, files: await writeReport(report, dir) };
}

type Setting = {
  readonly target: Target;
  readonly progress: Progress;
  readonly watch: Watch | undefined;
  readonly context: CommandContext;
  readonly baselines: Baselines;
};

async function playPlans(gate: Gate, folder: string, options: LoadtestOptions, setting: Setting): Promise<Finished[]> {
  const finished: Finished[] = [];
  for (const plan of gate.plans) {
    const dir = folderOf(gate, plan, folder);
    await playPlan(plan, dir, options, setting);
    const one = await judgeAndReport(dir, async (name) => setting.baselines.get(name));
    setting.progress.done();
    if (!options.json) print(showResult(one));
    finished.push(one);
    if (one.report.judgement.verdict === 'FAIL') break;
  }
  return finished;
}

async function playPlan(plan: Plan, dir: string, { changes }: LoadtestOptions, setting: Setting): Promise<void> {
  const { target, progress, watch, context } = setting;
  const file = createMeasurementFile(dir);
  try {
    const { onEntry, ...hooks } = createLiveView(plan, phasesOf(plan, changes), (view) => {
      progress.update(liveLines(view));
      watch?.show(view);
    });
    const lost = new AbortController();
    // What calls it back cannot throw: it is told by whatever watches over the processes.
    const write = (entry: Entry): void => {
      try {
        if (!lost.signal.aborted) file.write(entry);
        onEntry(entry);
      } catch (err) {
        lost.abort(err);
      }
    };
    await runPlan(plan, changes, target, { ...hooks, write, signal: AbortSignal.any([context.signal, lost.signal]) });
    lost.signal.throwIfAborted();
  } finally {
    file.close();
  }
}

/** Several plans have a folder each, inside one. */
const folderOf = (gate: Gate, plan: Plan, folder: string): string => (gate.plans.length === 1 ? folder : join(folder, plan.name));
