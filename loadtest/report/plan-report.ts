import { showCount, showDuration, showShare } from '#lib/show.ts';
import { showWitness } from '../measurement/witness.ts';
import { baselineCaution, changesOf, changeNames, describeBaseline, type BaselineComparison } from './baseline.ts';
import { describeLoad, showLatency, verdictSentence } from './describe.ts';
import { reportHtml } from './report-html.ts';
import { resultOf } from './report-json.ts';
import { planSuite } from './plan-suite.ts';
import { reportMarkdown } from './report-markdown.ts';
import type { Report } from './report.ts';
import type { RunReport } from './run-report.ts';

/** The run of a plan for people and programs. Pure but for what its page is made of. */
export const planReport = async (report: Report): Promise<RunReport> => ({
  name: report.measurement.plan,
  verdict: report.judgement.verdict,
  sentence: verdictSentence(report),
  startedAt: report.measurement.startedAt,
  text: planText(report),
  json: resultOf(report),
  suites: [planSuite(report)],
  markdown: reportMarkdown(report),
  html: await reportHtml(report),
});

/** What the command line prints at the end, for people. */
export function planText({ judgement, measurement, highlights, baseline }: Report): string {
  const { reasons, limitedBy, figures, checks } = judgement;
  const { budget, left } = measurement;
  const { latency } = figures;
  const isTimed = checks.some(({ id, outcome }) => id === 'latency-p95' && outcome !== 'not-checked');
  const allowed = (limitMs: number): string => (isTimed ? `< ${showDuration(limitMs)}` : 'not judged');
  const witnesses = checks.filter(({ outcome }) => outcome === 'broken').flatMap((check) => check.witnesses ?? []);
  const tolerated = checks.filter(({ outcome }) => outcome === 'tolerated').map(({ reason }) => reason);
  const remarks = checks.filter(({ outcome, reason }) => outcome === 'met' && reason !== '').map(({ reason }) => reason);
  const lines = [
    `${measurement.plan}: ${describeLoad(measurement)} (seed ${measurement.seed})`,
    `p50 ${showLatency(latency.p50Ms)} · p95 ${showLatency(latency.p95Ms)} (${allowed(budget.p95Ms)}) · p99 ${showLatency(latency.p99Ms)} (${allowed(budget.p99Ms)}) · errors ${showShare(figures.errorRate)} (< ${showShare(budget.errorRate)})`,
    [
      `${figures.throughput.toFixed(0)} right answers/s`,
      `${showCount(figures.counts.sent)} requests`,
      ...highlights.map(({ label, value }) => `${value} ${label.toLowerCase()}`),
    ].join(' · '),
    ...reasons.map((reason) => `- ${reason}`),
    ...witnesses.map((witness) => `    ${showWitness(witness)}`),
    ...(limitedBy === null ? [] : [`limited by: ${limitedBy}`]),
    ...remarks.map((remark) => `note: ${remark}`),
    ...tolerated.map((reason) => `note: ${reason}; that does not change the verdict`),
    ...(left ?? []).map((what) => `left in the target: ${what}`),
    ...baselineLines(baseline),
  ];
  return lines.join('\n');
}

/** What changed since an earlier run, a line each. */
function baselineLines(baseline: BaselineComparison | undefined): string[] {
  if (baseline === undefined) return [];
  const changes = baseline.rows.map((row) => [row.endpoint, ...changesOf(row)]);
  const table = [['', ...changeNames], ...changes];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return [
    `beside ${describeBaseline(baseline)}:`,
    ...table.map((cells) => `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()),
    ...baseline.differences.map((difference) => `not the same: ${difference}`),
    `note: ${baselineCaution}`,
  ];
}
