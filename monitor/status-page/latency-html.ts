import { html, raw, type Html } from '#lib/html.ts';
import { showDuration } from '#lib/show.ts';
import { latencyRanges, type LatencyView } from './latency-view.ts';
import type { Voice, Words } from './words.ts';

const [drawnWidth, drawnHeight] = [720, 200];

/** What a chart needs in the head of its page. */
export const chartAssets = html`<link rel="stylesheet" href="/uplot.css" />
  <script src="/uplot.js" defer></script>
  <script src="/chart.js" defer></script>`;

/**
 * How long the answers of a target took: figures, and a drawing that needs no script; with one, a chart takes its place. Pure.
 * @param path of the page, to which the range is put · `data`: address of the same as JSON
 */
export function latencySection(view: LatencyView, { words, language, time }: Voice, { path, data }: { path: string; data: string }): Html {
  const choices = latencyRanges.map((range) =>
    range === view.range
      ? html`<strong aria-current="true">${words.range[range]}</strong>`
      : html`<a href="${path}?range=${range}&lang=${language}">${words.range[range]}</a>`,
  );
  return html`<h2 id="latency">${words.latency}</h2>
    <section class="panel card">
      <p class="small ranges">${choices}</p>
      ${view.whole === null ? html`<p class="soft">${words.noneAnswered}</p>` : html`${figures(view.whole, words)} ${drawing(view, words, { time, data })}`}
      <p class="small soft">${words.latencyNote}</p>
    </section>`;
}

function figures({ answers, p50, p95, longest }: NonNullable<LatencyView['whole']>, words: Words): Html {
  const shown = [
    ['p50', words.median, showDuration(p50)],
    ['p95', words.p95, showDuration(p95)],
    ['', words.longest, showDuration(longest)],
    ['', words.answers, answers.toLocaleString('en-US').replaceAll(',', ' ')],
  ];
  return html`<dl class="facts legend">
    ${shown.map(
      ([tone = '', label = '', value = '']) =>
        html`<div class="${tone}">
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function drawing(view: LatencyView, words: Words, { time, data }: { time: Voice['time']; data: string }): Html {
  const { top } = view;
  const label = words.latencyOf(view.target, words.range[view.range]);
  const names = JSON.stringify({ p50: words.median, p95: words.p95, time: words.time });
  return html`<figure data-chart="${data}" data-names="${names}">
    <div class="scale small soft"><span>${showDuration(top)}</span><span>${showDuration(top / 2)}</span><span>0</span></div>
    <svg viewBox="0 0 ${drawnWidth} ${drawnHeight}" preserveAspectRatio="none" role="img" aria-label="${label}">
      <path class="grid" d="M0 .5h${drawnWidth}M0 ${drawnHeight / 2}h${drawnWidth}M0 ${drawnHeight - 0.5}h${drawnWidth}" />
      ${raw(`<path class="band" d="${bandOf(view)}"/>`)}
      ${(['p95', 'p50'] as const).map((name) => raw(`<path class="${name}" d="${lineOf(view, name)}"/>`))}
    </svg>
    <figcaption class="small soft"><span>${time(view.from * 1_000)}</span><span>${time(view.to * 1_000)}</span></figcaption>
  </figure>`;
}

type Drawn = 'p50' | 'p95';

/** Where points are drawn, in runs that nothing unknown breaks. */
function runsOf(view: LatencyView, name: Drawn): string[][] {
  const runs: string[][] = [[]];
  for (const [index, value] of view[name].entries()) {
    const x = (((view.at[index] ?? 0) - view.from) / (view.to - view.from)) * drawnWidth;
    if (value === null) runs.push([]);
    else runs.at(-1)?.push(`${x.toFixed(1)} ${Math.max(0, drawnHeight * (1 - value / view.top)).toFixed(1)}`);
  }
  return runs.filter((run) => run.length > 0);
}

/** A point that stands alone is a dot. */
const lineOf = (view: LatencyView, name: Drawn): string =>
  runsOf(view, name)
    .map((run) => `M${run.join('L')}${run.length === 1 ? 'h.1' : ''}`)
    .join('');

/** What lies between the median and the 95th percentile. */
const bandOf = (view: LatencyView): string => {
  const below = runsOf(view, 'p50');
  return runsOf(view, 'p95')
    .map((run, index) => `M${run.join('L')}L${(below[index] ?? []).toReversed().join('L')}Z`)
    .join('');
};
