import { html, type Html } from '#lib/html.ts';
import { exitCodeOf } from '../judge/verdict.ts';
import { casesPage } from '../report/cases-page.ts';
import { sayVerdict } from '../report/describe.ts';
import type { Case } from '../report/junit.ts';
import type { RunReport } from '../report/run-report.ts';
import { showP95, type Conclusion } from './conclusion.ts';

/** For people at a terminal. */
function sizingText(conclusion: Conclusion): string {
  const { rows, says, line } = conclusion;
  const table = rows.map(({ size, windows, perSecond, p95Ms, loss }) =>
    [
      `${size}`.padStart(6),
      `${perSecond.toFixed(0)}/s`.padStart(9),
      `p95 ${showP95(p95Ms)}`.padStart(12),
      `${windows} windows`.padStart(11),
      `  ${loss}`,
    ].join(''),
  );
  return [head(conclusion), ...table, ...says.map((sentence) => `- ${sentence}`), ...(line === undefined ? [] : [line])].join('\n');
}

function head({ question, users, workers }: Conclusion): string {
  const { size, overflow } = question.configured;
  return `size-pool: ${users} users without pauses, ${workers} API processes, configured ${size}+${overflow} (seed ${question.seed})`;
}

/** The run for people and programs. Pure but for the style sheet of its page. */
export async function sizingReport(conclusion: Conclusion, startedAt: string): Promise<RunReport> {
  const { question, users, workers, verdict, line, says, end, rows, played } = conclusion;
  const recommended = end.kind === 'answer' ? end.confirmed.setting : null;
  const refused = end.kind === 'refusal' ? end.reason : null;
  const found = { verdict, exitCode: exitCodeOf[verdict], startedAt, recommended, refused, line: line ?? null, says };
  // Does what is configured do as well as what is recommended?
  const decided: Case = {
    id: 'pool-size',
    title: 'the pool is as large as it has to be',
    outcome: verdict,
    says: says[0] ?? '',
    seen: [line ?? [], ...says.slice(1)].flat(),
  };
  const run = {
    name: 'size-pool',
    verdict,
    sentence: sayVerdict(verdict, [decided.says], `what is configured does as well as ${recommended?.size} connections of each process`),
    startedAt,
    text: sizingText(conclusion),
    json: { version: 1, ...found, question, users, workers, rows, windows: played },
    suites: [{ name: 'loadtest size-pool', startedAt, verdict, cases: [decided], beside: [head(conclusion)] }],
    markdown: sizingMarkdown(conclusion),
  };
  return { ...run, html: await casesPage(run, sizeTable(conclusion)) };
}

/** What each size showed, on the page. */
const sizeTable = ({ rows, line, says }: Conclusion): Html =>
  html`<div class="card spaced">
      ${line !== undefined && html`<p><code>${line}</code></p>`} ${says.map((sentence) => html`<p class="small">${sentence}</p>`)}
    </div>
    <h2>Sizes</h2>
    <div class="card scroll">
      <table>
        <thead>
          <tr>
            ${['Connections', 'Answers/s', 'p95', 'Windows'].map((name) => html`<th class="number">${name}</th>`)}
            <th>Against the best</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ size, windows, perSecond, p95Ms, loss }) =>
              html`<tr>
                ${[String(size), perSecond.toFixed(0), showP95(p95Ms), String(windows)].map((cell) => html`<td class="number">${cell}</td>`)}
                <td>${loss}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;

/** The result on one page, for a pull request. */
function sizingMarkdown(conclusion: Conclusion): string {
  const { rows, says, line, verdict } = conclusion;
  return `${[
    `# Pool size: ${verdict}`,
    '',
    head(conclusion),
    '',
    ...(line === undefined ? [] : ['```', line, '```', '']),
    ...says.map((sentence) => `- ${sentence}`),
    '',
    '| connections | answers/s | p95 | windows | against the best |',
    '|---:|---:|---:|---:|---|',
    ...rows.map(
      ({ size, windows, perSecond, p95Ms, loss }) => `| ${size} | ${perSecond.toFixed(0)} | ${showP95(p95Ms)} | ${windows} | ${loss} |`,
    ),
  ].join('\n')}\n`;
}
