import { html, raw, type Html } from '#lib/html.ts';
import { showDuration, showTime } from '#lib/show.ts';
import { quietLists } from './quiet-lists.ts';
import { incidentList, sideLists } from './status-lists.ts';
import { styleElement } from './status-style.ts';
import type { StatusView, TargetView } from './status-view.ts';

const refreshSeconds = 5;
const barsShown = 60;

/** The status page, whole: no script, nothing loaded from elsewhere. It reloads itself. Pure. */
export function statusHtml(view: StatusView): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="refresh" content="${refreshSeconds}" />
        <title>${titleMark(view)}Atalaya status</title>
        <link rel="icon" href="${icon(view)}" />
        ${styleElement}
      </head>
      <body>
        <header>
          <div class="brand">${tower}<span>Atalaya</span></div>
          <div class="small soft">as of <time datetime="${view.generated_at}">${showTime(view.generated_at)}</time></div>
        </header>
        <main>
          ${hero(view)}
          <h2>What is watched</h2>
          <div class="grid">${view.targets.map((target) => card(target, view.generated_at))}</div>
          <h2>Last incidents</h2>
          ${incidentList(view)} ${quietLists(view)} ${sideLists(view)}
        </main>
        <footer>
          <a href="/history">History</a>. The monitor runs since ${showTime(view.started_at)}. All times are UTC. The same as
          <a href="/api/status">JSON</a> and <a href="/metrics">metrics</a>.
        </footer>
      </body>
    </html> `;
  return page.markup;
}

function hero(view: StatusView): Html {
  const troubled = view.targets.filter(({ status }) => status === view.status).map(({ name }) => name);
  const headline = {
    up: 'Everything is up',
    degraded: `${troubled.join(', ')} ${troubled.length === 1 ? 'is' : 'are'} degraded`,
    down: `${troubled.join(', ')} ${troubled.length === 1 ? 'is' : 'are'} down`,
    unknown: `${troubled.join(', ') || 'Nothing'} cannot be judged right now`,
  }[view.status];
  const selfNote = view.monitor.reasons.join(' · ');
  const note = selfNote === '' ? summary(view) : `The monitor itself: ${selfNote}`;
  return html`<section class="hero ${view.status}" role="status">
    ${signs[view.status]}
    <div>
      <h1>${headline}</h1>
      <p>${note}</p>
    </div>
  </section>`;
}

function summary(view: StatusView): string {
  const open = view.incidents?.filter(({ ended_at: endedAt }) => endedAt === null).length ?? 0;
  const last = view.incidents?.find(({ ended_at: endedAt }) => endedAt !== null);
  if (open > 0) return `${open} open ${open === 1 ? 'incident' : 'incidents'}.`;
  if (!last?.ended_at) return 'No incident on record.';
  return `No incident for ${showDuration(Date.parse(view.generated_at) - Date.parse(last.ended_at))}.`;
}

function card(target: TargetView, now: string): Html {
  const kind = target.depends_on.length > 0 ? `${target.kind} · depends on ${target.depends_on.join(', ')}` : target.kind;
  const since = target.since === null ? '–' : showDuration(Date.parse(now) - Date.parse(target.since));
  return html`<article class="panel card ${target.status}" data-target="${target.name}" data-status="${target.status}">
    <div class="card-top">
      <div>
        <h3>${target.name}</h3>
        <div class="small soft">${kind}</div>
      </div>
      <span class="pill">${target.is_flapping ? 'comes and goes' : target.status}</span>
    </div>
    ${sparkline(target)}
    <p class="detail">
      ${target.held_by !== null && html`<strong>${target.held_by}</strong>: what begins is not told<br />`}${target.detail}${target.facts.map(({ label, value }) => html`<br /><span class="soft">${label}: ${value}</span>`)}
    </p>
    <dl class="facts">
      <div>
        <dt>Last latency</dt>
        <dd>${target.latency_ms === null ? '–' : showDuration(target.latency_ms)}</dd>
      </div>
      <div>
        <dt>Alert within</dt>
        <dd>${showDuration(Math.ceil(target.detection_bound_ms / 100) * 100)}</dd>
      </div>
      <div>
        <dt>${target.status === 'unknown' ? 'Unknown' : `${target.status[0]?.toUpperCase()}${target.status.slice(1)} for`}</dt>
        <dd>${since}</dd>
      </div>
    </dl>
  </article>`;
}

/** One bar a look, newest at the right; its height tells the latency beside the slowest one shown. */
function sparkline(target: TargetView): Html {
  const looks = target.recent.slice(-barsShown);
  const slowest = Math.max(1, ...looks.map(({ latency_ms: ms }) => ms));
  const bars = Array.from({ length: barsShown }, (_, index) => {
    const look = looks[index - (barsShown - looks.length)];
    const height = look ? Math.max(4, Math.round((look.latency_ms / slowest) * 32)) : 4;
    return html`<rect class="${look?.outcome ?? ''}" x="${index * 5}" y="${34 - height}" width="3.4" height="${height}" rx="1.2"></rect>`;
  });
  const label = looks.length === 0 ? 'no look yet' : `latency of the last ${looks.length} looks, up to ${showDuration(slowest)}`;
  return html`<svg class="spark" viewBox="0 0 300 34" preserveAspectRatio="none" role="img" aria-label="${label}">${bars}</svg>`;
}

function titleMark(view: StatusView): string {
  return view.status === 'up' ? '' : `${view.status.toUpperCase()} · `;
}

const toneOfIcon = { up: '%2314804a', degraded: '%23d39a12', down: '%23c42b2b', unknown: '%235d6b7a' } as const;

function icon(view: StatusView): string {
  return `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='7' fill='${toneOfIcon[view.status]}'/></svg>`;
}

const tower = raw(
  '<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round" aria-hidden="true"><path d="M9 10V5h3v2h2.500V5h3v2H20V5h3v5l-2 3v14H11V13z"/><path d="M7 27h18M16 27v-5M16 15v2"/></svg>',
);

const signs = {
  up: raw(
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="9.500"/><path d="m7.500 12.300 3 3 6-6.300"/></svg>',
  ),
  degraded: raw(
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M12 3 2.500 20h19zM12 10v4.500M12 17.200v.1"/></svg>',
  ),
  down: raw(
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="9.500"/><path d="m8.500 8.500 7 7m0-7-7 7"/></svg>',
  ),
  unknown: raw(
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="9.500"/><path d="M9.300 9.300a2.700 2.700 0 1 1 3.900 2.500c-.8.4-1.200 1-1.200 1.900M12 17v.1"/></svg>',
  ),
} as const;
