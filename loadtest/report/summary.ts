import { showCount, showDuration, showShare, showTime } from '#lib/show.ts';
import { errorCount } from '../measurement/merge.ts';
import type { Check } from '../judge/check.ts';
import { showWitness } from '../measurement/witness.ts';
import { describeLoad, showLatency, verdictSentence } from './describe.ts';
import { html, type Html } from '#lib/html.ts';
import type { Report } from './report.ts';

/** Verdict in a sentence, what was run, and why it is not PASS, with what can be looked up. */
export function head(report: Report): Html {
  const { judgement, measurement } = report;
  const { verdict, reasons, limitedBy, checks } = judgement;
  const { plan, seed, target, startedAt, client } = measurement;
  const place = target.kind === 'own' ? 'a stack of its own on this machine' : target.origin;
  const shared = client.coLocated
    ? `client and service share ${client.cores} cores`
    : `client on another machine, with ${client.cores} cores`;
  return html`<header class="card head">
      <div class="badge">${verdict}</div>
      <div>
        <h1>${verdictSentence(report)}</h1>
        <p><strong>${plan}</strong>: ${describeLoad(measurement)}</p>
        <p class="soft small">against ${place} · ${showTime(startedAt)} · seed ${seed} · ${shared}</p>
      </div>
    </header>
    ${
      reasons.length > 0 &&
      html`<div class="card why">
        <ul>
          ${reasons.map((reason) => html`<li>${reason}${witnessesOf(checks, reason)}</li>`)}
        </ul>
        ${limitedBy !== null && html`<p><strong>Limited by:</strong> ${limitedBy}</p>`}
      </div>`
    }`;
}

const witnessesOf = (checks: readonly Check[], why: string): Html[] =>
  checks
    .filter(({ reason, outcome }) => reason === why && outcome === 'broken')
    .flatMap(({ witnesses = [] }) => witnesses)
    .map((witness) => html`<p class="small witness"><code>${showWitness(witness)}</code></p>`);

/** What the run leaves behind: who tests a living shop wants to know. */
export const leftBehind = ({ measurement: { left } }: Report): Html =>
  html`<h2>Left in the target</h2>
    <div class="card">
      ${
        left === null
          ? html`<p>Not known: the run did not come so far.</p>`
          : left.length === 0
            ? html`<p>Nothing.</p>`
            : html`<ul>
                ${left.map((what) => html`<li>${what}</li>`)}
              </ul>`
      }
    </div>`;

const tile = (label: string, value: string, note: string, outcome = ''): Html =>
  html`<div class="card tile ${outcome}">
    <p class="soft small">${label}</p>
    <p class="value">${value}</p>
    <p class="soft small">${note}</p>
  </div>`;

/** The figures one looks for first. */
export function tiles({ judgement, measurement: { budget }, highlights }: Report): Html {
  const { figures, checks } = judgement;
  const outcomeOf = (id: string): string => checks.find((check) => check.id === id)?.outcome ?? '';
  const allowed = (id: string, limitMs: number): string =>
    ['', 'not-checked'].includes(outcomeOf(id)) ? 'over all, not judged' : `allowed < ${showDuration(limitMs)}`;
  return html`<section class="tiles">
    ${tile('Median latency', showLatency(figures.latency.p50Ms), `${showCount(figures.latency.count)} answers measured`)}
    ${tile('p95', showLatency(figures.latency.p95Ms), allowed('latency-p95', budget.p95Ms), outcomeOf('latency-p95'))}
    ${tile('p99', showLatency(figures.latency.p99Ms), allowed('latency-p99', budget.p99Ms), outcomeOf('latency-p99'))}
    ${tile('Errors', showShare(figures.errorRate), `${showCount(errorCount(figures.counts))} of ${showCount(figures.counts.sent)} requests`, outcomeOf('error-rate'))}
    ${tile('Right answers', `${figures.throughput.toFixed(0)}/s`, 'in the measured window')}
    ${highlights.map(({ label, value, note }) => tile(label, value, note))}
  </section>`;
}
