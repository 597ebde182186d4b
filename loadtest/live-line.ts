import type { Progress } from '#lib/command-line.ts';
import { showDuration } from '#lib/show.ts';
import { mergeHistograms, percentileMs } from './measurement/histogram.ts';
import { errorCount, sumCounts } from './measurement/merge.ts';
import type { Plan } from './plans/plan.ts';
import type { Phase, Slice } from './measurement/measurement.ts';

/**
 * Tells on one line how a run goes: `users: 12 s of 35 s · 198/s · p95 14 ms · 0 errors`; where nobody knows how long it takes,
 * what it does: `capacity: 64 s, now 400/s · …`.
 */
export function createLiveLine({ name, course }: Pick<Plan, 'name' | 'course'>, phases: readonly Phase[], progress: Progress) {
  const totalSeconds = phases.reduce((sum, { warmUpMs, durationMs }) => sum + Math.ceil((warmUpMs + durationMs) / 1_000), 0);
  let errors = 0;
  let now = '';
  const place = (second: number): string =>
    course ? `${second + 1} s, now ${now}` : `${Math.min(second + 1, totalSeconds)} s of ${totalSeconds} s`;
  return {
    onPhase: (phase: Phase): void => {
      now = phase.name;
    },
    onStep: (step: string): void => progress.update(`${name}: ${step}…`),
    onSecond: (second: number, slices: readonly Slice[]): void => {
      const counts = sumCounts(slices);
      errors += errorCount(counts) + counts.limited;
      const p95 = percentileMs(mergeHistograms(slices.map(({ latency }) => latency)), 95);
      const speed = p95 === undefined ? 'no answers' : `${counts.ok}/s · p95 ${showDuration(p95)}`;
      progress.update(`${name}: ${place(second)} · ${speed} · ${errors} errors`);
    },
  };
}
