import { join } from 'node:path';
import { showDuration } from '#lib/show.ts';
import { failuresOf } from '../judge/limits.ts';
import { attribution } from './attribution-table.ts';
import { baselineTable } from './baseline-table.ts';
import { chartSeries, type ChartSeries } from './chart-series.ts';
import { html, scriptJson, type Html } from '#lib/html.ts';
import { chartsAllow, pageOf, readChartAssets } from './page.ts';
import type { Report } from './report.ts';
import { workerLanes } from './lanes.ts';
import { loadTable } from './load-table.ts';
import { rateCurve, type RateCurve } from './rate-curve.ts';
import { head, leftBehind, tiles } from './summary.ts';
import { checkTables, endpointTable, failureTable } from './tables.ts';

/** The page of a plan's run, with its charts. */
export async function reportHtml(report: Report): Promise<string> {
  const { measurement, judgement } = report;
  const assets = await readChartAssets(join(import.meta.dirname, 'page.js'));
  const series = { ...chartSeries(measurement), curve: rateCurve(measurement) ?? null };
  const content = html`${head(report)} ${tiles(report)} ${curve(series.curve)}
    <h2>Over time</h2>
    ${charts(series)} ${loadTable(measurement)} ${endpointTable(judgement.figures.endpoints, measurement.budget)}
    ${baselineTable(report.baseline)} ${failureTable(failuresOf(measurement))} ${attribution(measurement)}
    ${workerLanes(measurement.samples)}
    <h2>What was checked</h2>
    ${checkTables(report)}
    <h2>Client and machine</h2>
    ${innocence(series)} ${leftBehind(report)} ${settings(report)}
    <footer>
      Latencies are kept in histograms of microseconds with three digits. A timeout counts as the timeout, the least it can have been.
    </footer>`;
  const data = Object.entries({ series, limits: limits(report) }).map(
    ([id, value]) =>
      html`<script type="application/json" id="${id}">
        ${scriptJson(value)}
      </script>`,
  );
  return pageOf({
    title: `${judgement.verdict} · load test ${measurement.plan}`,
    verdict: judgement.verdict,
    allows: chartsAllow,
    styles: assets.styles,
    content,
    scripts: [...data, ...assets.scripts],
  });
}

const chart = (name: string, title: string, note: string): Html =>
  html`<div class="card ${wide.has(name) && 'wide'}">
    <h3>${title}</h3>
    <p class="soft small">${note}</p>
    <div class="chart" data-chart="${name}" data-height="${wide.has(name) ? 280 : 200}"></div>
  </div>`;

const wide = new Set(['latency', 'curve']);

const curve = (points: RateCurve | null): Html | false =>
  points !== null &&
  html`<h2>Capacity</h2>
    <section class="charts">
      ${chart('curve', 'Latency by rate', 'p95 at each rate that was tried, and whether the limits were kept there; both scales logarithmic')}
    </section>`;

function charts(series: ChartSeries): Html {
  const hasPool = series.pool.second.length > 1;
  const hasBackends = series.backends.second.length > 1;
  const isLimited = series.limiter.limited.some((count) => count !== 0);
  return html`<section class="charts led">
    ${chart('latency', 'Latency', 'each second’s percentiles, logarithmic; dashed: what is allowed over the whole run')}
    ${chart('traffic', 'Answers a second', 'right ones, and those that were errors')}
    ${chart('distribution', 'Latency by share of answers', 'how long the fastest 50 %, 90 %, 99 % took at most')}
    ${series.arrivals.second.length > 1 && chart('arrivals', 'Arrivals', 'requests a second that the schedule meant, that left, and that nobody was free to send')}
    ${isLimited && chart('limiter', 'The rate limit', 'answers 429 a second, beside all others')}
    ${hasPool && chart('pool', 'Database pool', 'connections in use over all workers, and requests waiting for one')}
    ${hasBackends && chart('backends', 'Sessions in PostgreSQL', 'of the API, by pg_stat_activity')}
  </section>`;
}

/** Whether client and machine were up to it. */
function innocence(series: ChartSeries): Html {
  const hasMachine = series.machine.second.length > 1;
  return html`<section class="charts spaced">
    ${hasMachine && chart('machine', 'This machine', 'whose its CPU was')}
    ${hasMachine && chart('idle', 'A server that does nothing', 'the longest it took to answer in each second: what client and machine add')}
    ${chart('client', 'The client: busy', 'share of each second its event loop was working')}
    ${chart('lag', 'The client: late', 'worst delay of its event loop in each second')}
  </section>`;
}

/** The limit lines of the charts. */
function limits({ measurement: { budget } }: Report): object {
  return {
    latency: [
      { at: budget.p95Ms, text: `p95 < ${showDuration(budget.p95Ms)}`, tone: '--c2' },
      { at: budget.p99Ms, text: `p99 < ${showDuration(budget.p99Ms)}`, tone: '--c3' },
    ],
  };
}

function settings({ measurement }: Report): Html {
  const { target, phases, seed, mix } = measurement;
  const steps = phases.map(({ name, load, script, warmUpMs, durationMs, timeoutMs, processes }) => [
    `step ${name}`,
    JSON.stringify({ ...load, script, warmUpMs, durationMs, timeoutMs, processes }),
  ]);
  const service = Object.entries(target.effective ?? {}).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const rows = [['seed', String(seed)], ...(mix.length > 0 ? [['mixed in', mix.join(', ')]] : []), ...steps, ...service];
  return html`<details class="card">
    <summary>Settings in effect</summary>
    <table class="settings small">
      <tbody>
        ${rows.map(
          ([name, value]) =>
            html`<tr>
              <td><code>${name}</code></td>
              <td>${value}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${target.effective === null && html`<p class="soft small">Those of the service were not read: its admin listener was not accessible.</p>`}
  </details>`;
}
