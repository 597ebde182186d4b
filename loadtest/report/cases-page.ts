import { html, type Html } from '#lib/html.ts';
import { showTime } from '#lib/show.ts';
import type { Outcome } from '../judge/outcome.ts';
import type { Case, Suite } from './junit.ts';
import { pageOf, readStyles } from './page.ts';
import type { RunReport } from './run-report.ts';

/** The page of a run that is a list of things looked at: verdict, what was played, and every one with what was found. */
export async function casesPage({ name, verdict, sentence, startedAt, suites }: Omit<RunReport, 'html'>, aside?: Html): Promise<string> {
  const content = html`<header class="card head">
      <div class="badge">${verdict}</div>
      <div>
        <h1>${sentence}</h1>
        <p><strong>${name}</strong></p>
        <p class="soft small">${showTime(startedAt)}</p>
      </div>
    </header>
    ${aside} ${suites.map(suiteTable)}`;
  return pageOf({ title: `${verdict} · ${name}`, verdict, styles: await readStyles(), content });
}

const tones: Readonly<Record<Outcome, string>> = {
  PASS: 'met',
  FAIL: 'broken',
  INVALID: 'excused',
  'NOT SUPPORTED': 'not-checked',
  'NOT CHECKED': 'not-checked',
};

const pill = (outcome: Outcome): Html => html`<span class="pill ${tones[outcome]}">${outcome}</span>`;

const suiteTable = ({ name, cases, beside = [] }: Suite): Html =>
  html`<h2>${name}</h2>
    <div class="card scroll">
      ${beside.map((line) => html`<p class="soft small">${line}</p>`)}
      <table>
        <thead>
          <tr>
            ${['State', 'What must hold', 'Found'].map((heading) => html`<th>${heading}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${cases.map(caseRow)}
        </tbody>
      </table>
    </div>`;

const caseRow = ({ id, title, outcome, says, seen, page }: Case): Html =>
  html`<tr>
    <td>${pill(outcome)}</td>
    <td>${page === undefined ? html`<code>${id}</code>` : html`<a href="${page}">${id}</a>`} ${title}</td>
    <td>
      ${says}
      ${(outcome === 'FAIL' || outcome === 'INVALID') && seen.map((line) => html`<p class="small witness"><code>${line}</code></p>`)}
    </td>
  </tr>`;
