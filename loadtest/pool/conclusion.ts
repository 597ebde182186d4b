import { escapeText } from '#lib/html.ts';
import { exitCodeOf, type Verdict } from '../judge/verdict.ts';
import { bounds } from './bounds.ts';
import type { Check, Finding, Outcome } from './finding.ts';
import { life } from './life.ts';
import type { Recording } from './recording.ts';
import { waiting } from './waiting.ts';

const number = ({ id }: Check): number => Number(/\d+/.exec(id)?.[0]);

/** P1 to P13. */
const checks: readonly Check[] = [...bounds, ...waiting, ...life].toSorted((a, b) => number(a) - number(b));

export type Judged = { readonly check: Check; readonly finding: Finding };

export type Conclusion = { readonly recording: Recording; readonly judged: readonly Judged[]; readonly verdict: Verdict };

/** Holds what was recorded against every property. Pure. */
export function concludeOn(recording: Recording): Conclusion {
  const judged = checks.map((check) => ({ check, finding: check.judge(recording) }));
  const has = (outcome: Outcome): boolean => judged.some(({ finding }) => finding.outcome === outcome);
  return { recording, judged, verdict: has('FAIL') ? 'FAIL' : has('INVALID') ? 'INVALID' : 'PASS' };
}

const describe = ({ recording: { settings, exchanges } }: Conclusion): string => {
  const { workers, size, overflow, timeoutMs, recycleMs } = settings;
  return `${workers} API processes with ${size}+${overflow} connections, acquire timeout ${timeoutMs / 1_000} s, lifetime ${recycleMs / 1_000} s; ${exchanges.length} requests`;
};

/** For people at a terminal. */
export function poolText(conclusion: Conclusion): string {
  const lines = conclusion.judged.flatMap(({ check, finding }) => [
    `${finding.outcome.padEnd(13)}  ${check.id.padEnd(20)}  ${finding.says}`,
    ...finding.witnesses.map((witness) => `${' '.repeat(17)}${witness}`),
  ]);
  return [`pool: ${describe(conclusion)}`, ...lines].join('\n');
}

/** What --json prints and report.json holds. */
export function poolJson(conclusion: Conclusion): string {
  const { recording, judged, verdict } = conclusion;
  const { settings, stages, exchanges, loss } = recording;
  const found = judged.map(({ check: { id, title }, finding }) => ({ id, title, ...finding }));
  return `${JSON.stringify({ version: 1, verdict, exitCode: exitCodeOf[verdict], settings, requests: exchanges.length, stages, loss, checks: found }, null, 2)}\n`;
}

/** Each property as a test case; what could not be proved is an error, not a failure of the service. */
export function poolJunit({ judged }: Conclusion, startedAt: string): string {
  const count = (...outcomes: Outcome[]): number => judged.filter(({ finding }) => outcomes.includes(finding.outcome)).length;
  const totals = `tests="${judged.length}" failures="${count('FAIL')}" errors="${count('INVALID')}" skipped="${count('NOT SUPPORTED', 'NOT CHECKED')}"`;
  const cases = judged.map(({ check, finding }) => {
    const [message, seen] = [escapeText(finding.says), escapeText(finding.witnesses.join('\n'))];
    const body = {
      PASS: `<system-out>${message}</system-out>`,
      FAIL: `<failure message="${message}">${seen}</failure>`,
      INVALID: `<error message="${message}">${seen}</error>`,
      'NOT SUPPORTED': `<skipped message="${message}"/>`,
      'NOT CHECKED': `<skipped message="${message}"/>`,
    }[finding.outcome];
    return `    <testcase classname="loadtest pool" name="${escapeText(`${check.id}: ${check.title}`)}">${body}</testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${totals}>
  <testsuite name="loadtest pool" timestamp="${startedAt}" ${totals}>
${cases.join('\n')}
  </testsuite>
</testsuites>
`;
}

const escapeCell = (text: string): string => text.replaceAll(/[|\\`*_<>[\]]/g, String.raw`\$&`);

/** The result on one page, for a pull request. */
export function poolMarkdown(conclusion: Conclusion): string {
  const rows = conclusion.judged.map(
    ({ check, finding }) => `| ${[check.id, check.title, finding.outcome, finding.says].map(escapeCell).join(' | ')} |`,
  );
  return `# Connection pool: ${conclusion.verdict}\n\n${describe(conclusion)}\n\n| | property | | what was found |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}
