import { showCount, showShare } from '#lib/show.ts';
import type { Attribution } from '../judge/attribution.ts';
import { type Check } from '../judge/check.ts';
import type { EndpointFigures } from '../judge/figures.ts';
import { errorCount } from '../measurement/merge.ts';
import type { Budget, FailureKind } from '../measurement/measurement.ts';
import { showWitness } from '../measurement/witness.ts';
import { partNames } from './attribution-table.ts';
import { showLatency } from './describe.ts';
import { html, raw, type Html } from '#lib/html.ts';
import type { Report } from './report.ts';

const kinds = [
  { kind: 'limit', title: 'Was it fast enough, with few enough errors?' },
  { kind: 'content', title: 'Was every answer right?' },
  { kind: 'invariant', title: 'Do the books agree?' },
  { kind: 'innocence', title: 'Can the figures be believed?' },
] as const;

const stateNames: Readonly<Record<Check['outcome'], string>> = {
  met: 'met',
  broken: 'broken',
  excused: 'excused',
  tolerated: 'tolerated',
  'not-checked': 'not checked',
};

/** Every check, in the order one asks. Where all is met they are folded away. */
export function checkTables({ judgement }: Report): Html[] {
  return kinds.map(({ kind, title }) => {
    const rows = judgement.checks.filter((check) => check.kind === kind);
    const isPlain = rows.every(({ outcome }) => outcome === 'met' || outcome === 'not-checked');
    return html`<details class="card scroll matter" ${!isPlain && raw(' open')}>
      <summary>${title} ${outcomePills(rows)}</summary>
      ${checkTable(rows)}
    </details>`;
  });
}

const outcomePills = (rows: readonly Check[]): Html[] =>
  [...Map.groupBy(rows, ({ outcome }) => outcome)].map(
    ([outcome, some]) => html`<span class="pill ${outcome}">${showCount(some.length)} ${stateNames[outcome]}</span> `,
  );

const checkTable = (rows: readonly Check[]): Html =>
  html`<table class="checks">
    <thead>
      <tr>
        <th>State</th>
        <th>Check</th>
        <th>Found</th>
        <th>Allowed</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (check) =>
          html`<tr>
            <td><span class="pill ${check.outcome}">${stateNames[check.outcome]}</span></td>
            <td>${check.title}${check.reason !== '' && html`<p class="soft small">${check.reason}</p>`}${witnessLines(check)}</td>
            <td>${check.measured}</td>
            <td class="limit">${check.limit}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;

const witnessLines = ({ witnesses = [] }: Check): Html[] =>
  witnesses.map((witness) => html`<p class="small witness"><code>${showWitness(witness)}</code></p>`);

const times = (one: EndpointFigures): (number | null)[] => [
  one.latency.p50Ms,
  one.latency.p90Ms,
  one.latency.p95Ms,
  one.latency.p99Ms,
  one.latency.maxMs,
];

/** Each endpoint by itself; the bars are on one logarithmic scale, with the limits on it. */
export function endpointTable(endpoints: readonly EndpointFigures[], { p95Ms, p99Ms }: Budget): Html {
  const slowest = Math.max(...endpoints.map(({ latency }) => latency.maxMs ?? 0), 2 * p99Ms);
  const place = (ms: number): string => ((100 * Math.log10(Math.max(1, ms / fastestMs))) / Math.log10(slowest / fastestMs)).toFixed(2);
  return html`<h2>Endpoints</h2>
    <div class="card scroll">
      <table>
        <thead>
          <tr>
            <th>Endpoint</th>
            <th>p50 to p95 to p99; limits</th>
            ${['Requests', 'Refused', 'Errors', 'p50', 'p90', 'p95', 'p99', 'Max'].map((name) => html`<th class="number">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${endpoints.map(
            (one) =>
              html`<tr>
                <td>
                  <code>${one.endpoint}</code
                  >${!one.isJudged && html`<p class="soft small">slow on purpose: its latency is not judged</p>`}${slowestPart(one)}
                </td>
                <td>${latencyBar(one, [p95Ms, p99Ms], place)}</td>
                ${[one.counts.sent, one.counts.refused, errorCount(one.counts)].map((count) => html`<td class="number">${showCount(count)}</td>`)}
                ${times(one).map((ms) => html`<td class="number">${showLatency(ms)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

/** Where the scale of the bars begins. */
const fastestMs = 0.5;

function latencyBar({ latency }: EndpointFigures, limitsMs: readonly number[], place: (ms: number) => string): Html | undefined {
  const { p50Ms, p95Ms, p99Ms } = latency;
  if (p50Ms === null || p95Ms === null || p99Ms === null) return undefined;
  const stretch = (from: number, to: number, name: string): Html =>
    html`<i class="${name}" style="left:${place(from)}%;width:max(2px,${(Number(place(to)) - Number(place(from))).toFixed(2)}%)"></i>`;
  return html`<div class="range">
    ${stretch(p50Ms, p95Ms, 'most')}${stretch(p95Ms, p99Ms, 'tail')}${limitsMs.map((ms, index) => html`<b class="limit${index}" style="left:${place(ms)}%"></b>`)}
  </div>`;
}

/** `slowest 1 %: 71.0 % waiting for a connection`. */
function slowestPart({ attribution: shares }: EndpointFigures): Html | false {
  if (shares === null) return false;
  const [part, share] = Object.entries(shares).reduce((a, b) => (b[1] > a[1] ? b : a)) as [keyof Attribution, number];
  return html`<p class="soft small">slowest 1 %: ${showShare(share)} ${partNames[part]}</p>`;
}

export function failureTable(failures: readonly FailureKind[]): Html | undefined {
  if (failures.length === 0) return undefined;
  const shown = failures.slice(0, 20);
  return html`<h2>What went wrong</h2>
    <div class="card scroll">
      <table>
        <thead>
          <tr>
            <th class="number">Times</th>
            <th>Endpoint</th>
            <th>Answer</th>
            <th>First witnesses</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (one) =>
              html`<tr>
                <td class="number">${showCount(one.count)}</td>
                <td><code>${one.endpoint}</code></td>
                <td>${one.status ?? one.outcome.replace('-', ' ')}: ${one.fault}</td>
                <td>${one.witnesses.map((witness) => html`<p class="small"><code>${showWitness(witness)}</code></p>`)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
      ${failures.length > shown.length && html`<p class="soft small">and ${failures.length - shown.length} further kinds</p>`}
    </div>`;
}
