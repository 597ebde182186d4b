import { showCount, showDuration, showShare } from '#lib/show.ts';
import { type Check } from '../judge/check.ts';
import type { EndpointFigures } from '../judge/figures.ts';
import { errorCount } from '../measurement/merge.ts';
import { showWitness } from '../measurement/witness.ts';
import { describeLoad, showLatency } from './describe.ts';
import type { Report } from './report.ts';

const signs: Readonly<Record<Check['outcome'], string>> = { met: '✅', broken: '❌', excused: '❔', tolerated: '⚠️', 'not-checked': '➖' };

/** The result on one page, for a pull request or a chat. */
export function reportMarkdown({ judgement, measurement, highlights }: Report): string {
  const { verdict, reasons, limitedBy, figures, checks } = judgement;
  const { latency, counts } = figures;
  const lines = [
    `# Load test \`${measurement.plan}\`: ${verdict}`,
    '',
    `${describeLoad(measurement)}, seed ${measurement.seed}, against ${measurement.target.origin}, ${measurement.startedAt}`,
    '',
    ...reasons.map((reason) => `- ${escapeCell(reason)}`),
    ...checks
      .filter(({ outcome }) => outcome === 'broken')
      .flatMap(({ witnesses = [] }) => witnesses)
      .map((witness) => `  - ${escapeCell(showWitness(witness))}`),
    ...(limitedBy === null ? [] : [`- **Limited by:** ${escapeCell(limitedBy)}`]),
    ...(measurement.left ?? []).map((what) => `- Left in the target: ${escapeCell(what)}`),
    ...(reasons.length + (measurement.left?.length ?? 0) > 0 ? [''] : []),
    `p50 ${showLatency(latency.p50Ms)} · p95 ${showLatency(latency.p95Ms)} · p99 ${showLatency(latency.p99Ms)} · ${figures.throughput.toFixed(0)} right answers/s · ${showShare(figures.errorRate)} errors · ${[...highlights.map(({ label, value }) => `${value} ${label.toLowerCase()}`), `${showCount(counts.sent)} requests`].join(' · ')}`,
    '',
    '| | check | found | allowed | |',
    '|---|---|---|---|---|',
    ...checks.map(({ outcome, title, measured, limit, reason }) => row([signs[outcome], title, measured, limit, reason])),
    '',
    '| endpoint | requests | errors | p50 | p95 | p99 | max |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...figures.endpoints.map(endpointRow),
  ];
  return `${lines.join('\n')}\n`;
}

function endpointRow({ endpoint, counts, latency, isJudged }: EndpointFigures): string {
  const name = isJudged ? endpoint : `${endpoint} (not judged)`;
  const times = [latency.p50Ms, latency.p95Ms, latency.p99Ms, latency.maxMs].map((ms) => (ms === null ? '–' : showDuration(ms)));
  return row([name, showCount(counts.sent), showCount(errorCount(counts)), ...times]);
}

const row = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;

/** Whatever a server sent cannot break out of a table cell or become markup. */
const escapeCell = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[|\\`*_<>[\]]/g, String.raw`\$&`);
