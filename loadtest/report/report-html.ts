import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { showDuration } from '#lib/show.ts';
import { failuresOf } from '../judge/limits.ts';
import { chartSeries, type ChartSeries } from './chart-series.ts';
import { html, scriptJson, raw, type Html } from '#lib/html.ts';
import type { Report } from './report.ts';
import { head, tiles } from './summary.ts';
import { attribution, checkTables, endpointTable, failureTable } from './tables.ts';

/**
 * One page that needs nothing beside itself: styles, data and the chart library (uPlot, MIT) stand in it, and its
 * content policy forbids it to load anything.
 */
export async function reportHtml(report: Report): Promise<string> {
  const { measurement, judgement } = report;
  const assets = await readAssets();
  const series = chartSeries(measurement);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
        />
        <title>${judgement.verdict} · load test ${measurement.plan}</title>
        <style>
          ${assets.styles}
        </style>
      </head>
      <body class="${judgement.verdict.toLowerCase()}">
        <main>
          ${head(report)} ${tiles(report)} ${charts(series)} ${endpointTable(judgement.figures.endpoints)}
          ${failureTable(failuresOf(measurement))} ${attribution(measurement)} ${checkTables(report)} ${settings(report)}
          <footer>
            Latencies are kept in histograms of microseconds with three digits. A timeout counts as the timeout, the least it can have been.
          </footer>
        </main>
        <script type="application/json" id="series">
          ${scriptJson(series)}
        </script>
        <script type="application/json" id="limits">
          ${scriptJson(limits(report))}
        </script>
        <script>
          ${assets.library};
        </script>
        <script>
          ${assets.page};
        </script>
      </body>
    </html> `;
  return page.markup;
}

const chart = (name: string, title: string, note: string): Html =>
  html`<div class="card ${name === 'latency' && 'wide'}">
    <h3>${title}</h3>
    <p class="soft small">${note}</p>
    <div class="chart" data-chart="${name}" data-height="${name === 'latency' ? 280 : 200}"></div>
  </div>`;

function charts(series: ChartSeries): Html {
  const hasPool = series.pool.second.length > 1;
  const hasBackends = series.backends.second.length > 1;
  const hasMemory = series.memory.second.length > 1;
  const hasMachine = series.machine.second.length > 1;
  return html`<h2>Over time</h2>
    <section class="charts">
      ${chart('latency', 'Latency', 'each second’s percentiles, logarithmic; dashed: what is allowed over the whole run')}
      ${chart('traffic', 'Answers a second', 'right ones, and those that were errors')}
      ${chart('distribution', 'Latency by share of answers', 'how long the fastest 50 %, 90 %, 99 % took at most')}
      ${hasPool && chart('pool', 'Database pool', 'connections in use over all workers, and requests waiting for one')}
      ${hasBackends && chart('backends', 'Sessions in PostgreSQL', 'of the API, by pg_stat_activity')}
      ${hasMemory && chart('memory', 'Memory of the workers', 'resident, each worker by itself')}
      ${hasMachine && chart('machine', 'This machine', 'share of its CPU in use, and used by others than load test and service')}
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
  const load = {
    seed,
    mix,
    phases: phases.map(({ name, load: users, warmUpMs, durationMs, timeoutMs, processes }) => ({
      name,
      load: users,
      warmUpMs,
      durationMs,
      timeoutMs,
      processes,
    })),
  };
  return html`<details class="card">
    <summary>Settings</summary>
    <pre>${JSON.stringify({ ...load, service: target.effective ?? 'not read: the admin listener was not accessible' }, null, 2)}</pre>
  </details>`;
}

const read = (path: string): Promise<string> => readFile(path, 'utf8');

async function readAssets(): Promise<{ styles: Html; library: Html; page: Html }> {
  const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));
  const [uplotStyles, styles, library, license, page] = await Promise.all([
    read(join(uplot, 'uPlot.min.css')),
    read(join(import.meta.dirname, 'page.css')),
    read(join(uplot, 'uPlot.iife.min.js')),
    read(join(uplot, '..', 'LICENSE')),
    read(join(import.meta.dirname, 'page.js')),
  ]);
  return { styles: raw(uplotStyles + styles), library: raw(`/*\n${license}\n*/\n${library}`), page: raw(page) };
}
