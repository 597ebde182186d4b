import { verdictOf } from '../judge/outcome.ts';
import { exitCodeOf, type Verdict } from '../judge/verdict.ts';
import { casesPage } from '../report/cases-page.ts';
import { sentenceOf, type Case } from '../report/junit.ts';
import { row } from '../report/report-markdown.ts';
import type { RunReport } from '../report/run-report.ts';
import { bounds } from './bounds.ts';
import type { Check, Finding } from './finding.ts';
import { life } from './life.ts';
import { loss } from './loss.ts';
import { overload } from './overload.ts';
import type { Recording } from './recording.ts';
import { waiting } from './waiting.ts';

const number = ({ id }: Check): number => Number(/\d+/.exec(id)?.[0]);

/** P1 to P14. */
const checks: readonly Check[] = [...bounds, ...waiting, ...overload, ...life, ...loss].toSorted((a, b) => number(a) - number(b));

export type Judged = { readonly check: Check; readonly finding: Finding };

export type Conclusion = { readonly recording: Recording; readonly judged: readonly Judged[]; readonly verdict: Verdict };

/** Holds what was recorded against every property. Pure. */
export function concludeOn(recording: Recording): Conclusion {
  const judged = checks.map((check) => ({ check, finding: check.judge(recording) }));
  return { recording, judged, verdict: verdictOf(judged.map(({ finding }) => finding.outcome)) };
}

const describe = ({ recording: { settings, exchanges } }: Conclusion): string => {
  const { workers, size, overflow, timeoutMs, recycleMs } = settings;
  return `${workers} API processes with ${size}+${overflow} connections, acquire timeout ${timeoutMs / 1_000} s, lifetime ${recycleMs / 1_000} s; ${exchanges.length} requests`;
};

/** For people at a terminal. */
function poolText(conclusion: Conclusion): string {
  const lines = conclusion.judged.flatMap(({ check, finding }) => [
    `${finding.outcome.padEnd(13)}  ${check.id.padEnd(20)}  ${finding.says}`,
    ...finding.witnesses.map((witness) => `${' '.repeat(17)}${witness}`),
  ]);
  return [`pool: ${describe(conclusion)}`, ...lines].join('\n');
}

/** The run for people and programs. Pure but for the style sheet of its page. */
export async function poolReport(conclusion: Conclusion, startedAt: string): Promise<RunReport> {
  const { recording, judged, verdict } = conclusion;
  const { settings, stages, exchanges } = recording;
  const found = judged.map(({ check: { id, title }, finding }) => ({ id, title, ...finding }));
  const cases = found.map(({ says, witnesses: seen, ...rest }): Case => ({ ...rest, says, seen }));
  const run = {
    name: 'pool',
    verdict,
    sentence: sentenceOf(verdict, cases),
    startedAt,
    text: poolText(conclusion),
    json: {
      version: 1,
      verdict,
      exitCode: exitCodeOf[verdict],
      startedAt,
      settings,
      requests: exchanges.length,
      stages,
      loss: recording.loss,
      checks: found,
    },
    suites: [{ name: 'loadtest pool', startedAt, verdict, cases, beside: [describe(conclusion)] }],
    markdown: poolMarkdown(conclusion),
  };
  return { ...run, html: await casesPage(run) };
}

/** The result on one page, for a pull request. */
function poolMarkdown(conclusion: Conclusion): string {
  const rows = conclusion.judged.map(({ check, finding }) => row([check.id, check.title, finding.outcome, finding.says]));
  return `# Connection pool: ${conclusion.verdict}\n\n${describe(conclusion)}\n\n| | property | | what was found |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}
