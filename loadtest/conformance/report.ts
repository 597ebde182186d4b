import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { escapeText } from '#lib/html.ts';
import { showCount } from '#lib/show.ts';
import { showExchange, type Recording } from './exchange.ts';
import type { Outcome } from './matter.ts';
import { judgeTries, matters, type Judged } from './suite.ts';

export type Verdict = 'PASS' | 'FAIL' | 'INVALID';

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

/** A broken clause is a FAIL whatever else could not be proved. */
export function verdictOf(outcomes: readonly Outcome[]): Verdict {
  if (outcomes.includes('FAIL')) return 'FAIL';
  return outcomes.includes('INVALID') ? 'INVALID' : 'PASS';
}

export const worst = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.includes('FAIL') ? 'FAIL' : verdicts.includes('INVALID') ? 'INVALID' : 'PASS';

export const exitCodes: Readonly<Record<Verdict, ExitCode>> = { PASS: EXIT.done, FAIL: EXIT.thresholdsFailed, INVALID: EXIT.busy };

const outcomes: readonly Outcome[] = ['PASS', 'FAIL', 'INVALID', 'NOT SUPPORTED', 'NOT CHECKED'];

/** `49 PASS, 1 FAIL, 2 NOT CHECKED`. */
export const countOutcomes = (judged: readonly Judged[]): string =>
  outcomes
    .map((outcome) => [judged.filter(({ finding }) => finding.outcome === outcome).length, outcome] as const)
    .filter(([count]) => count > 0)
    .map(([count, outcome]) => `${count} ${outcome}`)
    .join(', ');

const requestsOf = ({ recordings }: Conformance): number => recordings.reduce((sum, { exchanges }) => sum + exchanges.length, 0);

const describe = ({ limit, periodMs, windows, identity, method }: Recording['declared']): string =>
  `${method}, ${showCount(limit)} requests in ${periodMs / 1_000} s (${windows} windows), clients by ${identity}`;

/** For people at a terminal. */
export function conformanceText(result: Conformance): string {
  const { target, recordings, judged, verdict } = result;
  const lines = judged.flatMap(({ check, finding }) => [
    `${finding.outcome.padEnd(13)}  ${check.id.padEnd(25)}  ${finding.says}  [${check.clause}]`,
    ...(finding.outcome === 'FAIL' || finding.outcome === 'INVALID'
      ? finding.witnesses.map((one) => `${' '.repeat(17)}${showExchange(one)}`)
      : []),
  ]);
  const head = `${target}: ${describe(recordings[0].declared)}; ${showCount(requestsOf(result))} requests`;
  return [head, ...lines, countOutcomes(judged), verdict].join('\n');
}

/** What --json prints and report.json holds; the published shape. */
export function conformanceJson(results: readonly Conformance[]): string {
  const document = {
    version: 1,
    verdict: worst(results.map(({ verdict }) => verdict)),
    targets: results.map((result) => ({
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
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Each check as a test case. What the client could not prove is an error, not a failure of the target. */
export function conformanceJunit(results: readonly Conformance[], startedAt: string): string {
  const suites = results.map(({ target, judged }) => {
    const count = (...wanted: Outcome[]): number => judged.filter(({ finding }) => wanted.includes(finding.outcome)).length;
    const totals = `tests="${judged.length}" failures="${count('FAIL')}" errors="${count('INVALID')}" skipped="${count('NOT SUPPORTED', 'NOT CHECKED')}"`;
    const cases = judged.map((one) => `    ${testCase(one)}`).join('\n');
    return `  <testsuite name="${escapeText(`ratelimit ${target}`)}" timestamp="${startedAt}" ${totals}>\n${cases}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

function testCase({ check, finding }: Judged): string {
  const head = `<testcase classname="ratelimit" name="${escapeText(`${check.id}: ${check.title} [${check.clause}]`)}"`;
  const says = escapeText(finding.says);
  const seen = escapeText(finding.witnesses.map(showExchange).join('\n'));
  if (finding.outcome === 'PASS') return `${head}><system-out>${says}</system-out></testcase>`;
  if (finding.outcome === 'FAIL') return `${head}><failure message="${says}">${seen}</failure></testcase>`;
  if (finding.outcome === 'INVALID') return `${head}><error message="${says}">${seen}</error></testcase>`;
  return `${head}><skipped message="${escapeText(`${finding.outcome}: ${finding.says}`)}"/></testcase>`;
}

const escapeCell = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[|\\`*_<>[\]]/g, String.raw`\$&`);

/** The result on one page, for a pull request. */
export function conformanceMarkdown(results: readonly Conformance[]): string {
  const parts = results.flatMap(({ target, recordings, judged, verdict }) => [
    `## ${escapeCell(target)}: ${verdict}`,
    '',
    `${describe(recordings[0].declared)}: ${countOutcomes(judged)}`,
    '',
    ...Object.keys(matters).flatMap((name) => [
      `### ${name}`,
      '',
      '| check | | what was found | clause |',
      '|---|---|---|---|',
      ...judged
        .filter(({ check }) => matters[name]?.checks.includes(check))
        .map(({ check, finding }) => `| ${[check.title, finding.outcome, finding.says, check.clause].map(escapeCell).join(' | ')} |`),
      '',
    ]),
  ]);
  return `# Rate limit conformance: ${worst(results.map(({ verdict }) => verdict))}\n\n${parts.join('\n')}`;
}
