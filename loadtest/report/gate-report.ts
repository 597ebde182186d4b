import { exitCodeOf, worstVerdict, type Verdict } from '../judge/verdict.ts';
import { casesPage } from './cases-page.ts';
import type { Case } from './junit.ts';
import { escapeCell, row } from './report-markdown.ts';
import type { RunReport } from './run-report.ts';

/** Something that belongs to a gate and did not come to be played, and why. */
export type NotPlayed = { readonly name: string; readonly why: string };

/** Several runs by one command, each in a folder of its name. */
export type PlayedGate = {
  readonly name: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly runs: readonly RunReport[];
  readonly notPlayed: readonly NotPlayed[];
};

/** All of a gate for people and programs: as bad as the worst of its runs, and what was not played is told everywhere. */
export async function gateReport({ name, startedAt, runs, notPlayed }: PlayedGate): Promise<RunReport> {
  const verdict = worstVerdict(runs.map((run) => run.verdict));
  const sentence = sentenceOf(verdict, runs, notPlayed);
  const cases = [
    ...runs.map((run): Case => ({
      id: run.name,
      title: 'passes',
      outcome: run.verdict,
      says: run.sentence,
      seen: [],
      page: `${run.name}/report.html`,
    })),
    ...notPlayed.map((one): Case => ({ id: one.name, title: 'passes', outcome: 'NOT CHECKED', says: `not played: ${one.why}`, seen: [] })),
  ];
  const suite = { name: `loadtest ${name}`, startedAt, verdict, cases };
  const whole = {
    name,
    verdict,
    sentence,
    startedAt,
    text: gateText(name, cases),
    json: {
      version: 1,
      gate: name,
      verdict,
      exitCode: exitCodeOf[verdict],
      sentence,
      startedAt,
      runs: runs.map((run) => ({ name: run.name, verdict: run.verdict, sentence: run.sentence, report: run.json })),
      notPlayed,
    },
    suites: [suite],
    markdown: gateMarkdown(`# ${name}: ${verdict}`, sentence, cases, runs),
  };
  // The pages of the runs, each in its folder beside this one, show the rest.
  return { ...whole, html: await casesPage(whole), suites: [suite, ...runs.flatMap((run) => run.suites)] };
}

function sentenceOf(verdict: Verdict, runs: readonly RunReport[], notPlayed: readonly NotPlayed[]): string {
  const left = notPlayed.length === 0 ? '' : ` Not played: ${notPlayed.map(({ name }) => name).join(', ')}.`;
  const first = runs.find((run) => run.verdict === verdict);
  if (verdict !== 'PASS') return `${first?.name ?? 'nothing'}: ${first?.sentence ?? 'nothing was played.'}${left}`;
  return `${runs.map(({ name }) => name).join(', ')} passed.${left}`;
}

function gateText(name: string, cases: readonly Case[]): string {
  const played = cases.filter(({ outcome }) => outcome !== 'NOT CHECKED').map(({ id, outcome }) => `${id} ${outcome}`);
  const left = cases.filter(({ outcome }) => outcome === 'NOT CHECKED').map(({ id, says }) => `note: ${id} ${says}`);
  return [`${name}: ${played.join(' · ')}`, ...left].join('\n');
}

/** A table first; what each run has to say is folded away. */
function gateMarkdown(title: string, sentence: string, cases: readonly Case[], runs: readonly RunReport[]): string {
  const folded = runs.flatMap((run) => ['<details>', `<summary>${run.name}: ${run.verdict}</summary>`, '', run.markdown, '</details>', '']);
  const rows = cases.map(({ id, outcome, says }) => row([id, outcome, says]));
  return `${[title, '', escapeCell(sentence), '', '| | | |', '|---|---|---|', ...rows, '', ...folded].join('\n').trimEnd()}\n`;
}
