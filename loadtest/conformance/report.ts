import { html, type Html } from '#lib/html.ts';
import { showCount } from '#lib/show.ts';
import { countOutcomes, verdictOf } from '../judge/outcome.ts';
import { exitCodeOf, worstVerdict, type Verdict } from '../judge/verdict.ts';
import { casesPage } from '../report/cases-page.ts';
import { sentenceOf, type Suite } from '../report/junit.ts';
import { escapeCell, row } from '../report/report-markdown.ts';
import type { RunReport } from '../report/run-report.ts';
import { showExchange, type Recording } from './exchange.ts';
import { judgeTries, matters, type Judged } from './suite.ts';
import { drawTimeline, timelineOf } from './timeline.ts';

/** What was played against one target, and what it showed. */
export type Conformance = {
  /** `http://127.0.0.1:8000/products`, or what a stack of its own was made for. */
  readonly target: string;
  /** Of everything, and of the parts that were played again. */
  readonly recordings: readonly [Recording, ...Recording[]];
  readonly judged: readonly Judged[];
  readonly verdict: Verdict;
};

/** Judges what was seen in one try or several. Pure. */
export function concludeOn(target: string, recordings: Conformance['recordings']): Conformance {
  const judged = judgeTries(recordings);
  return { target, recordings, judged, verdict: verdictOf(judged.map(({ finding }) => finding.outcome)) };
}

const countsOf = (judged: readonly Judged[]): string => countOutcomes(judged.map(({ finding }) => finding.outcome));

const requestsOf = ({ recordings }: Conformance): number => recordings.reduce((sum, { exchanges }) => sum + exchanges.length, 0);

const describe = ({ limit, periodMs, windows, identity, method }: Recording['declared']): string =>
  `${method}, ${showCount(limit)} requests in ${periodMs / 1_000} s (${windows} windows), clients by ${identity}`;

/** For people at a terminal. */
function conformanceText(result: Conformance): string {
  const { target, recordings, judged, verdict } = result;
  const lines = judged.flatMap(({ check, finding }) => [
    `${finding.outcome.padEnd(13)}  ${check.id.padEnd(25)}  ${finding.says}  [${check.clause}]`,
    ...(finding.outcome === 'FAIL' || finding.outcome === 'INVALID'
      ? finding.witnesses.map((one) => `${' '.repeat(17)}${showExchange(one)}`)
      : []),
  ]);
  const head = `${target}: ${describe(recordings[0].declared)}; ${showCount(requestsOf(result))} requests`;
  return [head, ...lines, countsOf(judged), verdict].join('\n');
}

/** The run for people and programs. Pure but for the style sheet of its page. */
export async function conformanceReport(results: readonly Conformance[], startedAt: string): Promise<RunReport> {
  const verdict = worstVerdict(results.map((result) => result.verdict));
  const suites = results.map((result) => suiteOf(result, startedAt));
  const run = {
    name: 'ratelimit',
    verdict,
    sentence: sentenceOf(
      verdict,
      suites.flatMap(({ cases }) => cases),
    ),
    startedAt,
    text: results.map(conformanceText).join('\n'),
    json: { version: 1, verdict, exitCode: exitCodeOf[verdict], startedAt, targets: results.map(targetJson) },
    suites,
    markdown: conformanceMarkdown(results),
  };
  return { ...run, html: await casesPage(run, html`${results.map(timelines)}`) };
}

/** What the target made of all that was asked, one drawing a try. */
const timelines = ({ target, recordings }: Conformance): Html =>
  html`<h2>What was asked of ${target}</h2>
    <div class="card">${recordings.filter(({ exchanges }) => exchanges.length > 0).map((one) => drawTimeline(timelineOf(one)))}</div>`;

/** Of the published shape of report.json. */
const targetJson = (result: Conformance): object => ({
  target: result.target,
  declared: result.recordings[0].declared,
  requests: requestsOf(result),
  verdict: result.verdict,
  checks: result.judged.map(({ check: { id, clause, title }, finding: { outcome, says, witnesses } }) => ({
    id,
    clause,
    title,
    outcome,
    says,
    witnesses: witnesses.map((one) => ({ ...one, shown: showExchange(one) })),
  })),
});

/** Each check as a case. What the client could not prove is no failure of the target. */
const suiteOf = ({ target, judged, verdict, recordings }: Conformance, startedAt: string): Suite => ({
  name: `ratelimit ${target}`,
  startedAt,
  verdict,
  beside: [describe(recordings[0].declared)],
  cases: judged.map(({ check, finding: { outcome, says, witnesses } }) => ({
    id: check.id,
    title: `${check.title} [${check.clause}]`,
    outcome,
    says,
    seen: witnesses.map(showExchange),
    group: 'ratelimit',
  })),
});

/** The result on one page, for a pull request. */
function conformanceMarkdown(results: readonly Conformance[]): string {
  const parts = results.flatMap(({ target, recordings, judged, verdict }) => [
    `## ${escapeCell(target)}: ${verdict}`,
    '',
    `${describe(recordings[0].declared)}: ${countsOf(judged)}`,
    '',
    ...Object.keys(matters).flatMap((name) => [
      `### ${name}`,
      '',
      '| check | | what was found | clause |',
      '|---|---|---|---|',
      ...judged
        .filter(({ check }) => matters[name]?.checks.includes(check))
        .map(({ check, finding }) => row([check.title, finding.outcome, finding.says, check.clause])),
      '',
    ]),
  ]);
  return `# Rate limit conformance: ${worstVerdict(results.map(({ verdict }) => verdict))}\n\n${parts.join('\n')}`;
}
