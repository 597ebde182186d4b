import { showCount, showDuration, showShare } from '#lib/show.ts';
import { type Check } from '../judge/check.ts';
import type { EndpointFigures } from '../judge/figures.ts';
import { errorCount } from '../measurement/merge.ts';
import { showWitness } from '../measurement/witness.ts';
import type { Verdict } from '../judge/verdict.ts';
import { baselineCaution, changeNames, changesOf, describeBaseline } from './baseline.ts';
import { describeLoad, showLatency, verdictSentence } from './describe.ts';
import type { Report } from './report.ts';

const signs: Readonly<Record<Check['outcome'], string>> = { met: '✅', broken: '❌', excused: '❔', tolerated: '⚠️', 'not-checked': '➖' };

const verdictSigns: Readonly<Record<Verdict, string>> = { PASS: '✅', FAIL: '❌', INVALID: '❔' };

/** The result on one page, for a pull request or a chat; what was met is folded away. */
export function reportMarkdown(report: Report): string {
  const { judgement, measurement, highlights } = report;
  const { verdict, figures, checks } = judgement;
  const { latency, counts } = figures;
  const lines = [
    `# ${verdictSigns[verdict]} Load test \`${measurement.plan}\`: ${verdict}`,
    '',
    `**${escapeCell(verdictSentence(report))}**`,
    '',
    `${describeLoad(measurement)}, seed ${measurement.seed}, against ${measurement.target.origin}, ${measurement.startedAt}`,
    '',
    ...asideLines(report),
    `p50 ${showLatency(latency.p50Ms)} · p95 ${showLatency(latency.p95Ms)} · p99 ${showLatency(latency.p99Ms)} · ${figures.throughput.toFixed(0)} right answers/s · ${showShare(figures.errorRate)} errors · ${[...highlights.map(({ label, value }) => `${value} ${label.toLowerCase()}`), `${showCount(counts.sent)} requests`].join(' · ')}`,
    '',
    ...checkRows(checks.filter(({ outcome }) => outcome !== 'met')),
    '<details>',
    `<summary>${checks.filter(({ outcome }) => outcome === 'met').length} checks met</summary>`,
    '',
    ...checkRows(checks.filter(({ outcome }) => outcome === 'met')),
    '</details>',
    '',
    '| endpoint | requests | errors | p50 | p95 | p99 | max |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...figures.endpoints.map(endpointRow),
    ...baselineLines(report),
  ];
  return `${lines.join('\n')}\n`;
}

/** This run beside an earlier one. */
function baselineLines({ baseline }: Report): string[] {
  if (baseline === undefined) return [];
  return [
    '',
    `Beside ${escapeCell(describeBaseline(baseline))}. ${baselineCaution}`,
    '',
    ...baseline.differences.map((difference) => `- Not the same: ${escapeCell(difference)}`),
    ...(baseline.differences.length > 0 ? [''] : []),
    `| endpoint | ${changeNames.join(' | ')} |`,
    '|---|---:|---:|---:|---:|---:|',
    ...baseline.rows.map((one) => row([one.endpoint, ...changesOf(one)])),
  ];
}

/** Why it is not PASS, what the service was short of, and what was left behind. */
function asideLines(report: Report): string[] {
  const { judgement, measurement } = report;
  const lines = [
    ...reasonLines(report),
    ...(judgement.limitedBy === null ? [] : [`- **Limited by:** ${escapeCell(judgement.limitedBy)}`]),
    ...(measurement.left ?? []).map((what) => `- Left in the target: ${escapeCell(what)}`),
  ];
  return lines.length === 0 ? [] : [...lines, ''];
}

/** Why it is not PASS, each with what can be looked up of it. */
const reasonLines = ({ judgement: { reasons, checks } }: Report): string[] =>
  reasons.flatMap((reason) => [
    `- ${escapeCell(reason)}`,
    ...checks
      .filter((check) => check.outcome === 'broken' && check.reason === reason)
      .flatMap(({ witnesses = [] }) => witnesses)
      .map((witness) => `  - ${escapeCell(showWitness(witness))}`),
  ]);

function checkRows(checks: readonly Check[]): string[] {
  if (checks.length === 0) return [];
  const rows = checks.map(({ outcome, title, measured, limit, reason }) => row([signs[outcome], title, measured, limit, reason]));
  return ['| | check | found | allowed | |', '|---|---|---|---|---|', ...rows, ''];
}

function endpointRow({ endpoint, counts, latency, isJudged }: EndpointFigures): string {
  const name = isJudged ? endpoint : `${endpoint} (not judged)`;
  const times = [latency.p50Ms, latency.p95Ms, latency.p99Ms, latency.maxMs].map((ms) => (ms === null ? '–' : showDuration(ms)));
  return row([name, showCount(counts.sent), showCount(errorCount(counts)), ...times]);
}

/** A row of a table. */
export const row = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;

/** Whatever a server sent cannot break out of a table cell or become markup. */
export const escapeCell = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[|\\`*_<>[\]]/g, String.raw`\$&`);
