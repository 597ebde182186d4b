import type { Report } from './report.ts';

/** The whole report for programs; the verdict can be recomputed from its `measurement` and `thresholds`. */
export function reportJson({ judgement, thresholds, measurement }: Report): string {
  return `${JSON.stringify({ ...judgement, thresholds, measurement }, null, 1)}\n`;
}
