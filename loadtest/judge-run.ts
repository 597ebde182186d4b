import { join } from 'node:path';
import { UsageError } from '#lib/errors.ts';
import { judgeComparison } from './compare/compare-command.ts';
import { judgeRatelimit } from './conformance/command.ts';
import { kindOf, readRun, runFiles, type RunKind } from './measurement/run-folder.ts';
import { judgePlan, type BaselineOf } from './plan-run.ts';
import { judgePool } from './pool/command.ts';
import { gateReport, type PlayedGate } from './report/gate-report.ts';
import { writeReport, type RunReport } from './report/run-report.ts';
import { judgeSizing } from './size-pool/command.ts';

const judges: Readonly<Record<RunKind, (dir: string, baselineOf: BaselineOf) => Promise<RunReport>>> = {
  plan: judgePlan,
  gate: judgeGate,
  compare: judgeComparison,
  pool: judgePool,
  ratelimit: judgeRatelimit,
  'size-pool': judgeSizing,
};

/** The kinds of run that have earlier ones of the same plan to be looked at beside. */
const comparable: readonly RunKind[] = ['plan', 'gate'];

/**
 * Judges the run that stands in a folder, whatever was played: the same verdict as when it was played.
 * @param baselineOf undefined where nothing is to be looked at beside it
 * @throws {UsageError} when the folder holds no run, or one that has no baseline where one was asked for
 */
export async function judgeRun(dir: string, baselineOf: BaselineOf | undefined): Promise<RunReport> {
  const kind = kindOf(dir);
  if (kind === undefined) throw new UsageError(`${dir} holds no run: there is none of ${Object.values(runFiles).join(', ')}`);
  if (baselineOf !== undefined && !comparable.includes(kind))
    throw new UsageError(`--baseline: ${dir} holds a run of ${kind}, which is put beside no earlier one`);
  return judges[kind](dir, baselineOf ?? (async () => undefined));
}

type RecordedGate = Omit<PlayedGate, 'runs'> & { readonly runs: readonly string[] };

/** Judges each run of a gate in its folder, and writes its reports anew. */
async function judgeGate(dir: string, baselineOf: BaselineOf): Promise<RunReport> {
  const gate = readRun(dir, 'gate') as RecordedGate;
  const runs: RunReport[] = [];
  for (const name of gate.runs) {
    const folder = join(dir, name);
    const kind = kindOf(folder);
    const run = await judgeRun(folder, kind === 'plan' ? baselineOf : undefined);
    await writeReport(run, folder);
    runs.push(run);
  }
  return gateReport({ ...gate, runs });
}
