import { showCount } from '#lib/show.ts';
import { saySpread, showChange, showValue, type Finding, type MetricResult } from '../judge/comparison.ts';
import { countOutcomes, type Outcome } from '../judge/outcome.ts';
import { inAll } from '../judge/rounds.ts';
import { exitCodeOf } from '../judge/verdict.ts';
import { sayVerdict } from '../report/describe.ts';
import type { Case } from '../report/junit.ts';
import { escapeCell, row } from '../report/report-markdown.ts';
import type { RunReport } from '../report/run-report.ts';
import { comparisonHtml } from './comparison-html.ts';
import { sayCalibration, sayHead, type CompareResult } from './result.ts';

/** Those of all endpoints together, and of the others what is no longer the same. */
const worthTelling = (metrics: readonly MetricResult[]): MetricResult[] =>
  metrics.filter(({ scope, finding, spread }) => scope === inAll || finding === 'worse' || finding === 'better' || spread !== 'same');

const signs: Readonly<Record<Finding, string>> = { better: '✅', same: '✅', worse: '❌', 'cannot tell': '❔' };

/** The result on one page, for a pull request or a chat. */
function comparisonMarkdown(result: CompareResult): string {
  const { metrics, errors, reasons, verdict } = result;
  const calibration = sayCalibration(result);
  return `${[
    `# Is B worse than A? ${verdict}`,
    '',
    escapeCell(sayHead(result)),
    ...(calibration === undefined ? [] : ['', `Calibration: ${escapeCell(calibration)}`]),
    '',
    ...(verdict === 'PASS' ? [] : [...reasons.map((reason) => `- ${escapeCell(reason)}`), '']),
    '| | what | A | B | change | interval |',
    '|---|---|---:|---:|---:|---|',
    ...metrics.map(({ finding, metric, scope, a, b, change, interval }) =>
      row([
        signs[finding],
        `${metric} ${scope}`,
        showValue(metric, a),
        showValue(metric, b),
        showChange(change),
        interval.map(showChange).join(' to '),
      ]),
    ),
    ...errors.map(({ finding, scope, a, b }) =>
      row([
        signs[finding],
        `errors ${scope}`,
        `${showCount(a.bad)} of ${showCount(a.all)}`,
        `${showCount(b.bad)} of ${showCount(b.all)}`,
        '',
        '',
      ]),
    ),
  ].join('\n')}\n`;
}

/** What the command line prints at the end, for people. */
function comparisonText(result: CompareResult): string {
  const { metrics, errors, reasons, verdict } = result;
  const calibration = sayCalibration(result);
  return [
    `compare: ${sayHead(result)}`,
    ...(calibration === undefined ? [] : [`calibration: ${calibration}`]),
    ...worthTelling(metrics).map((one) => `  ${one.says}${saySpread(one)}`),
    ...errors.filter(({ scope, finding }) => scope === inAll || finding !== 'same').map(({ says }) => `  ${says}`),
    ...(verdict === 'PASS' ? [] : reasons.map((reason) => `- ${reason}`)),
  ].join('\n');
}

/** The run for people and programs. Pure but for the style sheet of its page. */
export async function comparisonReport(result: CompareResult): Promise<RunReport> {
  const { verdict, reasons, startedAt } = result;
  const cases = casesOf(result);
  return {
    name: 'compare',
    verdict,
    sentence: sayVerdict(verdict, reasons, countOutcomes(cases.map(({ outcome }) => outcome))),
    startedAt,
    text: comparisonText(result),
    json: { version: 1, exitCode: exitCodeOf[verdict], ...result },
    suites: [{ name: 'loadtest compare', startedAt, verdict, cases, beside: [sayHead(result), sayCalibration(result) ?? []].flat() }],
    markdown: comparisonMarkdown(result),
    html: await comparisonHtml(result),
  };
}

/** Each metric and each count of errors as a case, and one of all that is no figure. */
function casesOf({ verdict, reasons, metrics, errors }: CompareResult): Case[] {
  const figures = [
    ...metrics.map((one) => ({ ...one, id: `${one.metric} ${one.scope}` })),
    ...errors.map((one) => ({ ...one, id: `errors ${one.scope}` })),
  ];
  const outcomeOf = ({ finding, says }: (typeof figures)[number]): Outcome => {
    if (finding === 'same' || finding === 'better') return reasons.includes(says) ? 'INVALID' : 'PASS';
    // What decides nothing, as of an endpoint that has too few answers.
    return reasons.includes(says) && verdict !== 'PASS' ? verdict : 'NOT CHECKED';
  };
  const others = reasons.filter((reason) => !figures.some(({ says }) => says === reason));
  const [says = 'they do, and they are', ...seen] = others;
  const title = 'Both answer rightly, and client, machine and rounds are a measure';
  return [
    { id: 'circumstances', title, outcome: others.length > 0 ? verdict : 'PASS', says, seen },
    ...figures.map((one): Case => ({ id: one.id, title: 'B is not worse than A', outcome: outcomeOf(one), says: one.says, seen: [] })),
  ];
}
