import { html, raw, type Html } from '#lib/html.ts';
import { showDuration } from '#lib/show.ts';
import { latencyRanges, type LatencyView } from './latency-view.ts';
import type { Voice, Words } from './words.ts';

const [drawnWidth, drawnHeight] = [720, 200];
/** A drawing has no more points than can be told apart. */
const mostDrawn = 360;

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
    ['longest', words.longest, showDuration(longest)],
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
  const names = JSON.stringify({ p50: words.median, p95: words.p95, longest: words.longest, time: words.time });
  return html`<figure data-chart="${data}" data-names="${names}">
    <div class="scale small soft"><span>${showDuration(top)}</span><span>${showDuration(top / 2)}</span><span>0</span></div>
    <svg viewBox="0 0 ${drawnWidth} ${drawnHeight}" preserveAspectRatio="none" role="img" aria-label="${label}">
      <path class="grid" d="M0 .5h${drawnWidth}M0 ${drawnHeight / 2}h${drawnWidth}M0 ${drawnHeight - 0.5}h${drawnWidth}" />
      ${(['longest', 'p95', 'p50'] as const).map((name) => raw(`<path class="${name}" d="${lineOf(view, name)}"/>`))}
    </svg>
    <figcaption class="small soft"><span>${time(view.from * 1_000)}</span><span>${time(view.to * 1_000)}</span></figcaption>
  </figure>`;
}

/** A line through the highest of those that fall together; one that stands alone is a dot. */
function lineOf(view: LatencyView, name: 'p50' | 'p95' | 'longest'): string {
  const step = Math.max(1, Math.ceil(view.at.length / mostDrawn));
  let isDown = false;
  let path = '';
  for (let first = 0; first < view.at.length; first += step) {
    const values = view[name].slice(first, first + step);
    const value = values.includes(null) ? null : Math.max(...(values as number[]));
    if (value !== null) {
      const x = (((view.at[first] ?? 0) - view.from) / (view.to - view.from)) * drawnWidth;
      const y = Math.max(0, drawnHeight * (1 - value / view.top));
      path += `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}${isDown ? '' : 'h.1'}`;
    }
    isDown = value !== null;
  }
  return path;
}
