import { showCount, showMs, showShare } from './judge/check.ts';
import { exitCodeOf, worstVerdict } from './judge/verdict.ts';
import { isSaturating } from './measurement/measurement.ts';
import { describeProfile, showLatency } from './report/describe.ts';
import type { Report } from './report/report.ts';
import type { Finished, ReportFiles } from './report/write-report.ts';

/** What the command line prints at the end, for people. */
export function showResult(report: Report, files: ReportFiles): string {
  const { judgement, measurement, thresholds } = report;
  const { verdict, reasons, limitedBy, figures } = judgement;
  const { latency } = figures;
  const tolerated = judgement.checks.filter(({ outcome }) => outcome === 'tolerated').map(({ reason }) => reason);
  const allowed = (limitMs: number): string => (isSaturating(measurement.profile) ? 'not judged' : `< ${showMs(limitMs)}`);
  const lines = [
    `${measurement.plan}: ${describeProfile(measurement.profile)} (seed ${measurement.profile.seed})`,
    `p50 ${showLatency(latency.p50Ms)} · p95 ${showLatency(latency.p95Ms)} (${allowed(thresholds.p95Ms)}) · p99 ${showLatency(latency.p99Ms)} (${allowed(thresholds.p99Ms)}) · errors ${showShare(figures.errorRate)} (< ${showShare(thresholds.errorRate)})`,
    `${figures.throughput.toFixed(0)} right answers/s · ${showCount(figures.counts.sent)} requests · ${showCount(measurement.orders.acknowledged)} orders`,
    ...reasons.map((reason) => `- ${reason}`),
    ...(limitedBy === null ? [] : [`limited by: ${limitedBy}`]),
    ...tolerated.map((reason) => `note: ${reason}; that does not change the verdict`),
    `report: ${files.html}`,
    verdict,
  ];
  return lines.join('\n');
}

/** The same for programs: everything but the raw measurement, which stands in report.json. */
export const resultJson = (finished: Finished): string => JSON.stringify(resultOf(finished), null, 2);

/** Several plans run by one command. */
export function programmeJson(name: string, finished: readonly Finished[]): string {
  const verdict = worstVerdict(finished.map(({ report }) => report.judgement.verdict));
  return JSON.stringify({ plan: name, verdict, exitCode: exitCodeOf[verdict], plans: finished.map(resultOf) }, null, 2);
}

function resultOf({ report: { judgement, measurement, thresholds }, files }: Finished): object {
  const { plan, startedAt, target, profile, orders, failures, books } = measurement;
  const exitCode = exitCodeOf[judgement.verdict];
  return { plan, startedAt, target: target.origin, exitCode, ...judgement, thresholds, profile, orders, failures, books, files };
}
