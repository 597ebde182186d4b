import { html, type Html } from '#lib/html.ts';
import { showDuration } from '#lib/show.ts';
import type { ServerSample, WorkerSample } from '../measurement/measurement.ts';

type Kind = { readonly title: string; readonly read: (worker: WorkerSample) => number; readonly show: (value: number) => string };

const kinds: readonly Kind[] = [
  { title: 'event loop late by', read: ({ loopDelayMs }) => loopDelayMs, show: showDuration },
  { title: 'memory', read: ({ residentBytes }) => residentBytes / 2 ** 20, show: (mib) => `${Math.round(mib)} MiB` },
  { title: 'connections in use', read: ({ connectionsInUse }) => connectionsInUse, show: (count) => `${Number(count.toFixed(1))}` },
];

/**
 * One small lane a worker and matter, over the same seconds and on the same scale, so that the one that behaves unlike the
 * others is seen at a glance. Undefined where no worker could be asked.
 */
export function workerLanes(samples: readonly ServerSample[]): Html | undefined {
  const asked = samples.filter(({ workers }) => workers.length > 0);
  const names = [...new Set(asked.flatMap(({ workers }) => workers.map(({ worker }) => worker)))].toSorted(byNumber);
  if (asked.length < 2) return undefined;
  const columns = kinds.map((kind) => ({ ...kind, most: Math.max(...asked.flatMap(({ workers }) => workers.map(kind.read))) }));
  return html`<h2>Each worker by itself</h2>
    <div class="card lanes">
      <span></span>
      ${columns.map(({ title, most, show }) => html`<span class="soft small">${title}, 0–${show(most)}</span>`)}
      ${names.map((name) => [html`<strong class="small">worker ${name}</strong>`, columns.map((column) => lane(asked, name, column))])}
    </div>`;
}

const byNumber = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

function lane(asked: readonly ServerSample[], name: string, { title, read, show, most }: Kind & { readonly most: number }): Html {
  const [first, last] = [asked[0]?.second ?? 0, asked.at(-1)?.second ?? 0];
  const points = asked.flatMap(({ second, workers }) => {
    const found = workers.find(({ worker }) => worker === name);
    return found ? [{ x: (100 * (second - first)) / Math.max(1, last - first), value: read(found) }] : [];
  });
  const line = points.map(({ x, value }) => `${x.toFixed(2)},${(30 - (28 * value) / (most || 1)).toFixed(2)}`).join(' ');
  const worst = show(Math.max(0, ...points.map(({ value }) => value)));
  const [from, to] = [points[0]?.x ?? 0, points.at(-1)?.x ?? 0];
  return html`<span class="lane">
    <svg viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label="worker ${name}, ${title}: at most ${worst}">
      <polygon points="${from.toFixed(2)},30 ${line} ${to.toFixed(2)},30" />
      <polyline points="${line}" />
    </svg>
    <span class="small">${worst}</span>
  </span>`;
}
