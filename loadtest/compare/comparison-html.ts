import { html, type Html } from '#lib/html.ts';
import { showCount, showShare, showTime } from '#lib/show.ts';
import { saySpread, showChange, showValue, type ErrorResult, type Finding, type MetricResult } from '../judge/comparison.ts';
import { inAll } from '../judge/rounds.ts';
import { pageOf, readStyles } from '../report/page.ts';
import { sayCalibration, sayHead, type CompareResult } from './result.ts';

/** The page of a comparison; it runs no script. */
export async function comparisonHtml(result: CompareResult): Promise<string> {
  const { verdict, reasons, metrics, errors, asked, startedAt } = result;
  const calibration = sayCalibration(result);
  const content = html`<header class="card head">
      <div class="badge">${verdict}</div>
      <div>
        <h1>Is B worse than A?</h1>
        <p>${sayHead(result)}</p>
        <p class="soft small">
          ${showTime(startedAt)} · a difference of ${showShare(asked.effect)} was to be told; less than ${showShare(asked.gate)} is none ·
          chance calls anything different in one of ${showCount(Math.round(1 / asked.alpha))} comparisons of equal sides at most
        </p>
        ${calibration !== undefined && html`<p class="small"><strong>Calibration:</strong> ${calibration}</p>`}
      </div>
    </header>
    ${
      reasons.length > 0 &&
      html`<div class="card why">
        <ul>
          ${reasons.map((reason) => html`<li>${reason}</li>`)}
        </ul>
      </div>`
    }
    <h2>B to A, round by round</h2>
    <section class="charts">${metrics.filter(({ scope }) => scope === inAll).map((one) => picture(one, asked.gate))}</section>
    ${metricTable(metrics)} ${errorTable(errors)}
    <footer>
      Each dot is a round: B's window to A's. The band is the interval of the change that the rounds do not refuse; the dashed lines are
      where a difference begins to count.
    </footer>`;
  return pageOf({ title: `${verdict} · comparison`, verdict, styles: await readStyles(), content });
}

const [width, height, margin] = [540, 180, 44];
const tones: Readonly<Record<Finding, string>> = { better: 'met', worse: 'broken', same: 'met', 'cannot tell': 'excused' };

/** The rounds' ratios on a logarithmic axis, with the interval of their mean. */
function picture(one: MetricResult, gate: number): Html {
  const { metric, scope, logRatios, interval, change } = one;
  const bounds = interval.map((share) => Math.log1p(Math.min(9, Math.max(-0.9, share)))) as [number, number];
  const shown = [...logRatios, ...bounds, Math.log1p(gate), -Math.log1p(gate)];
  const [least, most] = [Math.min(...shown), Math.max(...shown)];
  const y = (logRatio: number): string => (height - 12 - ((logRatio - least) / (most - least)) * (height - 24)).toFixed(1);
  const x = (i: number): string => (margin + ((i + 0.5) / logRatios.length) * (width - margin - 8)).toFixed(1);
  const line = (logRatio: number, style: string): Html =>
    html`<line x1="${margin}" x2="${width}" y1="${y(logRatio)}" y2="${y(logRatio)}" style="${style}" />
      <text x="${margin - 6}" y="${y(logRatio)}" text-anchor="end" dominant-baseline="middle" style="fill:var(--soft);font-size:11px">
        ${showChange(Math.expm1(logRatio))}
      </text>`;
  return html`<div class="card">
    <h3>${metric} ${scope}: ${showChange(change)}</h3>
    <p class="soft small">${one.says}${saySpread(one)}</p>
    <svg viewBox="0 0 ${width} ${height}" width="100%" role="img" aria-label="${one.says}">
      <rect
        x="${margin}"
        width="${width - margin}"
        y="${y(bounds[1])}"
        height="${(Number(y(bounds[0])) - Number(y(bounds[1]))).toFixed(1)}"
        style="fill:var(--c1);opacity:.18"
      />
      ${line(0, 'stroke:var(--soft)')} ${line(Math.log1p(gate), 'stroke:var(--limit);stroke-dasharray:4 4')}
      ${line(-Math.log1p(gate), 'stroke:var(--limit);stroke-dasharray:4 4')}
      <line
        x1="${margin}"
        x2="${width}"
        y1="${y(Math.log1p(change))}"
        y2="${y(Math.log1p(change))}"
        style="stroke:var(--c1);stroke-width:2"
      />
      ${logRatios.map((logRatio, i) => html`<circle cx="${x(i)}" cy="${y(logRatio)}" r="4" style="fill:var(--c1)"><title>round ${i + 1}: ${showChange(Math.expm1(logRatio))}</title></circle>`)}
    </svg>
  </div>`;
}

const pill = (finding: Finding): Html => html`<span class="pill ${tones[finding]}">${finding}</span>`;

const headings = ['State', 'What', 'A', 'B', 'Change', 'Interval', 'p, corrected', 'Lag-1', 'Spread'];

function metricTable(metrics: readonly MetricResult[]): Html {
  return html`<h2>Everything that was compared</h2>
    <div class="card scroll">
      <table>
        <thead>
          <tr>
            ${headings.map((name) => html`<th>${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${metrics.map(
            (one) =>
              html`<tr>
                <td>${pill(one.finding)}</td>
                <td>${one.metric} <code>${one.scope}</code></td>
                <td>${showValue(one.metric, one.a)}</td>
                <td>${showValue(one.metric, one.b)}</td>
                <td>${showChange(one.change)}</td>
                <td>${showChange(one.interval[0])} to ${showChange(one.interval[1])}</td>
                <td>${one.p < 0.001 ? '< 0.001' : one.p.toFixed(3)}</td>
                <td>${one.lag1.toFixed(2)}</td>
                <td>${one.spread}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function errorTable(errors: readonly ErrorResult[]): Html {
  return html`<h2>Errors</h2>
    <div class="card scroll">
      <table>
        <tbody>
          ${errors.map(
            ({ finding, says }) =>
              html`<tr>
                <td>${pill(finding)}</td>
                <td>${says}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
