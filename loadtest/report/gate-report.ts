import { exitCodeOf, worstVerdict, type Verdict } from '../judge/verdict.ts';
import { casesPage } from './cases-page.ts';
import type { Case } from './junit.ts';
import { escapeCell, row } from './report-markdown.ts';
import type { RunReport } from './run-report.ts';

/** Something that belongs to a gate and did not come to be played, and why. */
export type NotPlayed = {
  readonly name: string;
  readonly why: string;
  /** It was to be played, and the command was canceled or could not go on: without it nothing is proved. */
  readonly isMissed?: true;
};

/** Several runs by one command, each in a folder of its name. */
export type PlayedGate = {
  readonly name: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly runs: readonly RunReport[];
  readonly notPlayed: readonly NotPlayed[];
};

/**
 * All of a gate for people and programs: as bad as the worst of its runs, and what was not played is told everywhere. Where some were
 * missed nothing is proved, unless one failed before.
 */
export async function gateReport({ name, startedAt, runs, notPlayed }: PlayedGate): Promise<RunReport> {
  const missed = notPlayed.flatMap((one) => (one.isMissed ? (['INVALID'] as const) : []));
  const verdict = worstVerdict([...runs.map((run) => run.verdict), ...missed]);
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
    ...notPlayed.map((one): Case => ({
      id: one.name,
      title: 'passes',
      outcome: one.isMissed ? 'INVALID' : 'NOT CHECKED',
      says: `not played: ${one.why}`,
      seen: [],
    })),
  ];
  const suite = { name: `loadtest ${name}`, startedAt, verdict, cases };
  const whole = {
    name,
    verdict,
    sentence,
    startedAt,
    text: gateText(name, runs, notPlayed),
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
  const missed = notPlayed.find((one) => one.isMissed);
  if (runs.length === 0 && !missed) return `Nothing was played.${left}`;
  if (first !== undefined && verdict !== 'PASS') return `${first.name}: ${first.sentence}${left}`;
  const passed = runs.length === 0 ? 'nothing had been played' : `${runs.map(({ name }) => name).join(', ')} passed`;
  // None of what was played says why it is not PASS.
  return missed ? `${missed.name} was not played (${missed.why}); before it ${passed}.${left}` : `${passed}.${left}`;
}

function gateText(name: string, runs: readonly RunReport[], notPlayed: readonly NotPlayed[]): string {
  const played = runs.map((run) => `${run.name} ${run.verdict}`);
  return [`${name}: ${played.join(' · ')}`, ...notPlayed.map((one) => `note: ${one.name} not played: ${one.why}`)].join('\n');
}

/** A table first; what each run has to say is folded away. */
function gateMarkdown(title: string, sentence: string, cases: readonly Case[], runs: readonly RunReport[]): string {
  const folded = runs.flatMap((run) => ['<details>', `<summary>${run.name}: ${run.verdict}</summary>`, '', run.markdown, '</details>', '']);
  const rows = cases.map(({ id, outcome, says }) => row([id, outcome, says]));
  return `${[title, '', escapeCell(sentence), '', '| | | |', '|---|---|---|', ...rows, '', ...folded].join('\n').trimEnd()}\n`;
}
