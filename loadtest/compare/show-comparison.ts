import { showCount, showShare } from '#lib/show.ts';
import { showChange, showValue, type Finding, type MetricResult } from '../judge/comparison.ts';
import { inAll } from '../judge/rounds.ts';
import { escapeCell, row } from '../report/report-markdown.ts';
import type { CompareResult } from './result.ts';

/** What was compared, in one line. */
export const sayHead = ({ a, b, turns, seed }: CompareResult): string => `A ${a} → B ${b}: ${turns.length} rounds (seed ${seed})`;

/** What --calibrate found, in one line; undefined where it was not asked for. */
export function sayCalibration({ calibration, asked }: CompareResult): string | undefined {
  if (calibration === null) return undefined;
  const { falseAlarms, invalid, trials, smallestEffect, equal, slowed } = calibration;
  const least = smallestEffect === null ? 'none up to double' : showShare(smallestEffect);
  return [
    `A beside itself ${equal}, made ${showShare(asked.effect)} slower ${slowed}`,
    `of ${showCount(trials)} comparisons drawn from equal rounds ${showShare(falseAlarms)} false alarms, ${showShare(invalid)} undecided`,
    `least difference told 95 times in 100: ${least}`,
  ].join(' · ');
}

/** Those of all endpoints together, and of the others what is no longer the same. */
export const worthTelling = (metrics: readonly MetricResult[]): MetricResult[] =>
  metrics.filter(({ scope, finding, spread }) => scope === inAll || finding === 'worse' || finding === 'better' || spread !== 'same');

export const saySpread = ({ spread }: Pick<MetricResult, 'spread'>): string =>
  spread === 'same'
    ? ''
    : `; spread changed: the windows of B differ ${spread === 'wider' ? 'more' : 'less'} among themselves than those of A`;

const signs: Readonly<Record<Finding, string>> = { better: '✅', same: '✅', worse: '❌', 'cannot tell': '❔' };

/** The result on one page, for a pull request or a chat. */
export function comparisonMarkdown(result: CompareResult): string {
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
export function showComparison(result: CompareResult, page: string): string {
  const { metrics, errors, reasons, verdict } = result;
  const calibration = sayCalibration(result);
  return [
    `compare: ${sayHead(result)}`,
    ...(calibration === undefined ? [] : [`calibration: ${calibration}`]),
    ...worthTelling(metrics).map((one) => `  ${one.says}${saySpread(one)}`),
    ...errors.filter(({ scope, finding }) => scope === inAll || finding !== 'same').map(({ says }) => `  ${says}`),
    ...(verdict === 'PASS' ? [] : reasons.map((reason) => `- ${reason}`)),
    `report: ${page}`,
    verdict,
  ].join('\n');
}
