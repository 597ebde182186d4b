import { join } from 'node:path';
import { print, type Arguments, type Progress } from '#lib/command-line.ts';
import { messageOf, UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { defaultFolder, tell, withProgress, type CommandContext } from './command.ts';
import { mixesOf, type Gate } from './gates.ts';
import { exitCodeOf } from './judge/verdict.ts';
import { openWatch, type Watch } from './live/watch-server.ts';
import { makeOutFolder, writeRun } from './measurement/run-folder.ts';
import { readOptions, type LoadtestOptions } from './options.ts';
import { judgePlan, playPlan, type BaselineOf } from './plan-run.ts';
import type { Plan } from './plans/plan.ts';
import { readBaseline, type Baseline } from './report/baseline.ts';
import { gateReport, type NotPlayed, type PlayedGate } from './report/gate-report.ts';
import { sayReport, writeReport, type RunReport } from './report/run-report.ts';
import { onTarget, originOf } from './target-command.ts';
import type { Target } from './targets/target.ts';

/** Plays what belongs to a gate to its exit code. @throws what the caller turns into one line */
export async function runGate(gate: Gate, args: Arguments, context: CommandContext): Promise<ExitCode> {
  const options = readOptions(args, mixesOf(gate), context.randomSeed);
  if (options.changes.rate && gate.plans.some(({ course }) => course)) throw new UsageError(`--rate: ${gate.name} finds the rates itself`);
  const origin = originOf(options);
  const folder = options.outDir ?? defaultFolder(gate.name, context.now);
  // Before anything is started, so that nothing is measured in vain, and before the folder of that run may be written anew.
  const baselineOf = await readBaselines(gate, options.baseline);
  makeOutFolder(folder);
  if (origin !== undefined && !options.json) for (const leaves of leftBy(gate)) print(`in ${origin}: ${leaves}`);
  return watched(options.watchPort, (watch) =>
    withProgress(context.signal, async (progress) => {
      const setting = { origin, folder, options, context, progress, watch, baselineOf };
      if (!isAlone(gate)) return tellAll(await playAll(gate, setting), setting);
      const run = await playAlone(gate, setting);
      progress.done();
      return tell(run, folder, options.json);
    }),
  );
}

/** What its plans leave in a target. */
const leftBy = ({ plans }: Gate): Set<string> => new Set(plans.flatMap(({ scenario }) => scenario.leaves ?? []));

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

/** The earlier run of each plan; none where none was asked for. */
async function readBaselines(gate: Gate, path: string | undefined): Promise<BaselineOf> {
  const found = new Map<string, Baseline>();
  if (path !== undefined) for (const { name } of gate.plans) found.set(name, await readBaseline(path, name));
  return async (plan) => found.get(plan);
}

type Setting = {
  /** Undefined: a stack of its own. */
  readonly origin: string | undefined;
  readonly folder: string;
  readonly options: LoadtestOptions;
  readonly context: CommandContext;
  readonly progress: Progress;
  readonly watch: Watch | undefined;
  readonly baselineOf: BaselineOf;
};

const isAlone = ({ plans, runs = [] }: Gate): boolean => plans.length + runs.length === 1;

function playAlone({ plans: [plan] }: Gate, setting: Setting): Promise<RunReport> {
  const { origin, folder, context, progress } = setting;
  return onTarget(origin, context, progress, (target) => playPlanOf(plan, folder, target, setting));
}

async function playPlanOf(plan: Plan, dir: string, target: Target, setting: Setting): Promise<RunReport> {
  const { options, context, progress, watch, baselineOf } = setting;
  await playPlan(plan, dir, options.changes, { target, progress, watch, signal: context.signal });
  return judgePlan(dir, baselineOf);
}

const ofItsOwn = 'it harms the shops it tests and starts its own, so it is not played on a given target';

/** @param broke what keeps the rest from being played, its end apart */
type Played = { readonly gate: PlayedGate; readonly broke?: Error | undefined };

/**
 * Each into a folder of its own, judged and told as it comes, up to the first that fails or cannot be played, or to the end of the
 * command. @throws what ends the command before anything was judged
 */
async function playAll({ name, plans, runs = [] }: Gate, setting: Setting): Promise<Played> {
  const { origin, context, progress } = setting;
  const played: RunReport[] = [];
  const notPlayed: NotPlayed[] = [];
  const member = async (one: string, work: (dir: string) => Promise<RunReport>): Promise<void> => {
    const failed = played.find(({ verdict }) => verdict === 'FAIL');
    if (failed === undefined) played.push(await playMember(one, work, setting));
    else notPlayed.push({ name: one, why: `${failed.name} failed before` });
  };
  const playMembers = async (): Promise<void> => {
    await onTarget(origin, context, progress, async (target) => {
      for (const plan of plans) await member(plan.name, (dir) => playPlanOf(plan, dir, target, setting));
    });
    for (const run of runs) {
      if (origin !== undefined) notPlayed.push({ name: run.name, why: ofItsOwn });
      else await member(run.name, (dir) => run.play(dir, context, progress).then(() => run.judge(dir)));
    }
  };
  let why = 'canceled';
  let broke: Error | undefined;
  await playMembers().catch((err: unknown) => {
    if (played.length === 0) throw err;
    if (context.signal.aborted) return;
    broke = err instanceof Error ? err : new Error(messageOf(err));
    why = broke.message;
  });
  const told = new Set([...played, ...notPlayed].map((one) => one.name));
  for (const { name: one } of [...plans, ...runs].filter((each) => !told.has(each.name))) {
    notPlayed.push({ name: one, why, isMissed: true });
    if (broke !== undefined) why = 'it comes after what could not be played';
  }
  return { gate: { name, startedAt: context.now.toISOString(), runs: played, notPlayed }, broke };
}

async function playMember(name: string, work: (dir: string) => Promise<RunReport>, setting: Setting): Promise<RunReport> {
  const { folder, options, progress } = setting;
  const dir = join(folder, name);
  makeOutFolder(dir);
  const run = await work(dir);
  const page = await writeReport(run, dir);
  progress.done();
  if (!options.json) print(sayReport(run, page));
  return run;
}

/**
 * Writes what all of it came to; what was canceled ends as a canceled command does.
 * @throws what kept a part of it from being played, once the reports of the others are written
 */
async function tellAll({ gate, broke }: Played, { folder, options }: Setting): Promise<ExitCode> {
  writeRun(folder, 'gate', { ...gate, runs: gate.runs.map((run) => run.name) });
  const exitCode = await tell(await gateReport(gate), folder, options.json);
  if (broke !== undefined) throw broke;
  if (!gate.notPlayed.some((one) => one.isMissed)) return exitCode;
  const judged = gate.runs.map(({ name, verdict }) => `${name} ${verdict}`).join(', ');
  process.stderr.write(`canceled; judged before: ${judged}\n`);
  return EXIT.failed;
}
