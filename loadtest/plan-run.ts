import type { Progress } from '#lib/command-line.ts';
import { UsageError } from '#lib/errors.ts';
import { judge } from './judge/verdict.ts';
import { liveLines } from './live/live-lines.ts';
import { createLiveView } from './live/live-view.ts';
import type { Watch } from './live/watch-server.ts';
import { createMeasurementFile, readMeasurement, type Entry } from './measurement/measurement-file.ts';
import { phasesOf, type PlanChanges } from './plans/phase-of.ts';
import type { Plan } from './plans/plan.ts';
import { planOf } from './plans/plans.ts';
import { compareWithBaseline, type Baseline } from './report/baseline.ts';
import { planReport } from './report/plan-report.ts';
import type { RunReport } from './report/run-report.ts';
import { runPlan } from './run-plan.ts';
import type { Target } from './targets/target.ts';

export type PlanSetting = {
  readonly target: Target;
  readonly progress: Progress;
  readonly watch: Watch | undefined;
  readonly signal: AbortSignal;
};

/** Plays a plan into a folder, shown while it lasts. @throws what playing it throws, and MeasurementWriteError */
export async function playPlan(
  plan: Plan,
  dir: string,
  changes: PlanChanges,
  { target, progress, watch, signal }: PlanSetting,
): Promise<void> {
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
    await runPlan(plan, changes, target, { ...hooks, write, signal: AbortSignal.any([signal, lost.signal]) });
    lost.signal.throwIfAborted();
  } finally {
    file.close();
  }
}

/** The earlier run to look at beside one of a plan; undefined: none was asked for. */
export type BaselineOf = (plan: string) => Promise<Baseline | undefined>;

/** The verdict of the measurement in a folder. @throws {UsageError} when it holds none of a plan that is known */
export async function judgePlan(dir: string, baselineOf: BaselineOf): Promise<RunReport> {
  const measurement = await readMeasurement(dir);
  const plan = planOf(measurement.plan);
  if (plan === undefined) throw new UsageError(`${dir} holds a run of the plan "${measurement.plan}", which this program does not know`);
  const highlights = [...(plan.highlights?.(measurement) ?? []), ...plan.scenario.highlights(measurement)];
  const judgement = judge(measurement, plan.judges);
  const earlier = await baselineOf(plan.name);
  const baseline = earlier && compareWithBaseline(measurement, judgement.figures, earlier);
  return planReport({ measurement, judgement, highlights, baseline, books: plan.scenario.tellBooks?.(measurement) });
}
