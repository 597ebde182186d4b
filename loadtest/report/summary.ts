import { showCount, showDuration, showShare } from '#lib/show.ts';
import { errorCount } from '../measurement/merge.ts';
import { describeLoad, showLatency } from './describe.ts';
import { html, type Html } from '#lib/html.ts';
import type { Report } from './report.ts';

/** Verdict, what was run, and why it is not PASS. */
export function head({ judgement, measurement }: Report): Html {
  const { verdict, reasons, limitedBy } = judgement;
  const { plan, seed, target, startedAt, client, left } = measurement;
  const place = target.kind === 'own' ? 'a stack of its own on this machine' : target.origin;
  const shared = client.coLocated
    ? `client and service share ${client.cores} cores`
    : `client on another machine, with ${client.cores} cores`;
  return html`<header class="card head">
      <div class="badge">${verdict}</div>
      <div>
        <h1>Load test “${plan}”</h1>
        <p>${describeLoad(measurement)}</p>
        <p class="soft small">against ${place} · ${startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')} · seed ${seed} · ${shared}</p>
        ${(left ?? []).map((what) => html`<p class="small"><strong>Left in the target:</strong> ${what}</p>`)}
      </div>
    </header>
    ${
      reasons.length > 0 &&
      html`<div class="card why">
        <ul>
          ${reasons.map((reason) => html`<li>${reason}</li>`)}
        </ul>
        ${limitedBy !== null && html`<p><strong>Limited by:</strong> ${limitedBy}</p>`}
        ${verdict === 'INVALID' && html`<p>The run proves nothing, neither for nor against the service.</p>`}
      </div>`
    }`;
}

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
  return html`<section class="tiles">
    ${tile('Median latency', showLatency(figures.latency.p50Ms), `${showCount(figures.latency.count)} answers measured`)}
    ${tile('p95', showLatency(figures.latency.p95Ms), `allowed < ${showDuration(budget.p95Ms)}`, outcomeOf('latency-p95'))}
    ${tile('p99', showLatency(figures.latency.p99Ms), `allowed < ${showDuration(budget.p99Ms)}`, outcomeOf('latency-p99'))}
    ${tile('Errors', showShare(figures.errorRate), `${showCount(errorCount(figures.counts))} of ${showCount(figures.counts.sent)} requests`, outcomeOf('error-rate'))}
    ${tile('Right answers', `${figures.throughput.toFixed(0)}/s`, 'in the measured window')}
    ${highlights.map(({ label, value, note }) => tile(label, value, note))}
  </section>`;
}
