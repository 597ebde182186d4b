import type { Progress } from '#lib/progress.ts';
import { showDuration } from '#lib/show.ts';
import { mergeHistograms, percentileMs } from './measurement/histogram.ts';
import { errorCount, sumCounts } from './measurement/merge.ts';
import type { Phase, Slice } from './measurement/measurement.ts';

/** Tells on one line how a run goes: `users: 12 s of 35 s · 198/s · p95 14 ms · 0 errors`. */
export function createLiveLine(name: string, phases: readonly Phase[], progress: Progress) {
  const totalSeconds = phases.reduce((sum, { warmUpMs, durationMs }) => sum + Math.ceil((warmUpMs + durationMs) / 1_000), 0);
  let errors = 0;
  return {
    onStep: (step: string): void => progress.update(`${name}: ${step}…`),
    onSecond: (second: number, slices: readonly Slice[]): void => {
      const counts = sumCounts(slices);
      errors += errorCount(counts) + counts.limited;
      const p95 = percentileMs(mergeHistograms(slices.map(({ latency }) => latency)), 95);
      const speed = p95 === undefined ? 'no answers' : `${counts.ok}/s · p95 ${showDuration(p95)}`;
      progress.update(`${name}: ${Math.min(second + 1, totalSeconds)} s of ${totalSeconds} s · ${speed} · ${errors} errors`);
    },
  };
}
