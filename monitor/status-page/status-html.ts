import { html, type Html } from '#lib/html.ts';
import { showDuration, showTime } from '#lib/show.ts';
import { pageShell } from './page-shell.ts';
import { quietLists } from './quiet-lists.ts';
import { incidentList, sideLists } from './status-lists.ts';
import { statusIcon, statusSign } from './status-signs.ts';
import type { StatusView, TargetView } from './status-view.ts';

const refreshSeconds = 5;
const barsShown = 60;

/**
 * What operators see, whole: no script, nothing loaded from elsewhere. It reloads itself. Pure.
 * @param signOut the form that ends their session
 */
export function statusHtml(view: StatusView, signOut?: Html): string {
  const main = html`${hero(view)}
    <h2>What is watched</h2>
    <div class="grid">${view.targets.map((target) => card(target, view.generated_at))}</div>
    <h2>Last incidents</h2>
    ${incidentList(view)} ${quietLists(view)} ${sideLists(view)}`;
  return pageShell({
    language: 'en',
    title: `${titleMark(view)}Atalaya status`,
    head: html`<meta http-equiv="refresh" content="${refreshSeconds}" /> <link rel="icon" href="${statusIcon(view.status)}" />`,
    aside: html`<div class="small soft">as of <time datetime="${view.generated_at}">${showTime(view.generated_at)}</time></div>`,
    main,
    footer: html`<a href="/operator/incidents">All incidents</a> · <a href="/">What the public sees</a> · <a href="/history">History</a>.
      The monitor runs since ${showTime(view.started_at)}. All times are UTC. The same as <a href="/api/operator/status">JSON</a> and
      <a href="/metrics">metrics</a>. ${signOut}`,
  });
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
    ${statusSign(view.status)}
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
