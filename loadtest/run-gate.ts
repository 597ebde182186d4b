import { join } from 'node:path';
import { print, type Arguments, type Progress } from '#lib/command-line.ts';
import { UsageError } from '#lib/errors.ts';
import type { ExitCode } from '#lib/exit-codes.ts';
import { defaultFolder, tell, withProgress, type CommandContext } from './command.ts';
import { mixesOf, type Gate } from './gates.ts';
import { exitCodeOf } from './judge/verdict.ts';
import { openWatch, type Watch } from './live/watch-server.ts';
import { makeOutFolder, writeRun } from './measurement/run-folder.ts';
import { readOptions, type LoadtestOptions } from './options.ts';
import { judgePlan, playPlan, type BaselineOf } from './plan-run.ts';
import { readBaseline, type Baseline } from './report/baseline.ts';
import { gateReport, type NotPlayed } from './report/gate-report.ts';
import { sayReport, writeReport, type RunReport } from './report/run-report.ts';
import { onTarget, originOf } from './target-command.ts';

/** Plays what belongs to a gate to its exit code. @throws what the caller turns into one line */
export async function runGate(gate: Gate, args: Arguments, context: CommandContext): Promise<ExitCode> {
  const options = readOptions(args, mixesOf(gate), context.randomSeed);
  if (options.changes.rate && gate.plans.some(({ course }) => course)) throw new UsageError(`--rate: ${gate.name} finds the rates itself`);
  const origin = originOf(options);
  const folder = options.outDir ?? defaultFolder(gate.name, context.now);
  // Before anything is started, so that nothing is measured in vain, and before the folder of that run may be written anew.
  const baselineOf = await readBaselines(gate, options.baseline);
  makeOutFolder(folder);
  return watched(options.watchPort, (watch) =>
    withProgress(context.signal, async (progress) => {
      const setting = { origin, folder, options, context, progress, watch, baselineOf };
      const run = isAlone(gate) ? await playAlone(gate, setting) : await playAll(gate, setting);
      progress.done();
      return tell(run, folder, options.json);
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
  const { origin, folder, options, context, progress, watch, baselineOf } = setting;
  return onTarget(origin, context, progress, async (target) => {
    await playPlan(plan, folder, options.changes, { target, progress, watch, signal: context.signal });
    return judgePlan(folder, baselineOf);
  });
}

const ofItsOwn = 'it harms the shops it tests and starts its own, so it is not played on a given target';

/** Each into a folder of its own, judged and told as it comes, up to the first that fails. */
async function playAll({ name, plans, runs = [] }: Gate, setting: Setting): Promise<RunReport> {
  const { origin, folder, options, context, progress, watch, baselineOf } = setting;
  const played: RunReport[] = [];
  const notPlayed: NotPlayed[] = [];
  const member = async (one: string, work: (dir: string) => Promise<RunReport>): Promise<void> => {
    const failed = played.find(({ verdict }) => verdict === 'FAIL');
    if (failed !== undefined) return void notPlayed.push({ name: one, why: `${failed.name} failed before` });
    const dir = join(folder, one);
    makeOutFolder(dir);
    const run = await work(dir);
    const page = await writeReport(run, dir);
    progress.done();
    if (!options.json) print(sayReport(run, page));
    played.push(run);
  };
  await onTarget(origin, context, progress, async (target) => {
    for (const plan of plans)
      await member(plan.name, async (dir) => {
        await playPlan(plan, dir, options.changes, { target, progress, watch, signal: context.signal });
        return judgePlan(dir, baselineOf);
      });
  });
  for (const run of runs) {
    if (origin !== undefined) notPlayed.push({ name: run.name, why: ofItsOwn });
    else
      await member(run.name, async (dir) => {
        await run.play(dir, context, progress);
        return run.judge(dir);
      });
  }
  const startedAt = context.now.toISOString();
  writeRun(folder, 'gate', { name, startedAt, runs: played.map((run) => run.name), notPlayed });
  return gateReport({ name, startedAt, runs: played, notPlayed });
}
