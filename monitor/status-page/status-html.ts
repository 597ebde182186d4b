import { html, type Html } from '#lib/html.ts';
import { showDuration, showTime } from '#lib/show.ts';
import { pageShell } from './page-shell.ts';
import { quietLists } from './quiet-lists.ts';
import { incidentList, sideLists } from './status-lists.ts';
import { statusIcon, statusSign } from './status-signs.ts';
import type { StatusView, TargetView } from './status-view.ts';
import { labelIn } from '../words/labels.ts';
import type { Voice, Words } from './words.ts';

const reloadSeconds = 5;
const barsShown = 60;

/**
 * What operators see, whole without a script, and live with one. Pure.
 * @param version of what is shown · `signOut`: the form that ends their session
 */
export function statusHtml(view: StatusView, voice: Voice, { version, signOut }: { version: string; signOut?: Html | undefined }): string {
  const { language, words } = voice;
  const { forOperators: own } = words;
  const other = language === 'en' ? 'es' : 'en';
  const main = html`${hero(view, voice)}
    <h2>${own.watched}</h2>
    <div class="grid">${view.targets.map((target) => card(target, view.generated_at, voice))}</div>
    <h2>${own.lastIncidents}</h2>
    ${incidentList(view, voice)} ${quietLists(view, voice)} ${sideLists(view, voice)}`;
  return pageShell({
    language,
    title: `${view.status === 'up' ? '' : `${words.status[view.status].toUpperCase()} · `}Atalaya ${own.title}`,
    live: { events: `/operator/events?seen=${version}`, reloadSeconds },
    head: html`<link rel="icon" href="${statusIcon(view.status)}" />`,
    aside: html`<div class="small soft"><time datetime="${view.generated_at}">${words.asOf(showTime(view.generated_at))}</time></div>`,
    main,
    footer: html`<a href="/operator/incidents?lang=${language}">${own.allIncidents}</a> ·
      <a href="/?lang=${language}">${own.publicPage}</a> · <a href="/history?lang=${language}">${words.history}</a> ·
      <a href="/operator?lang=${other}" lang="${other}" hreflang="${other}">${words.other}</a>. ${own.runsSince(showTime(view.started_at))}
      ${words.allUtc} ${own.same} <a href="/api/operator/status">JSON</a>, <a href="/metrics">${own.metrics}</a>. ${signOut}`,
  });
}

function hero(view: StatusView, { words: { forOperators: own, quietFor } }: Voice): Html {
  const troubled = view.targets.filter(({ status }) => status === view.status).map(({ name }) => name);
  const selfNote = view.monitor.reasons.join(' · ');
  const open = view.incidents?.filter(({ ended_at: endedAt }) => endedAt === null).length ?? 0;
  const last = view.incidents?.find(({ ended_at: endedAt }) => endedAt !== null)?.ended_at;
  const since = last && showDuration(Date.parse(view.generated_at) - Date.parse(last));
  const summary = open > 0 ? own.open(open) : since ? quietFor(since) : own.noneOnRecord;
  return html`<section class="hero ${view.status}" role="status">
    ${statusSign(view.status)}
    <div>
      <h1>${own.headline[view.status](troubled)}</h1>
      <p>${selfNote === '' ? summary : own.itself(selfNote)}</p>
    </div>
  </section>`;
}

function card(target: TargetView, now: string, voice: Voice): Html {
  const { name, status } = target;
  const { words, language } = voice;
  const { forOperators: own } = words;
  return html`<article class="panel card ${status}" data-target="${name}" data-status="${status}">
    <div class="card-top">
      <div>
        <h3><a href="/operator/targets/${encodeURIComponent(name)}?lang=${language}">${name}</a></h3>
        <div class="small soft">${kindOf(target, words)}</div>
      </div>
      <span class="pill">${target.is_flapping ? own.comesAndGoes : words.status[status]}</span>
    </div>
    ${glance(target, now, voice)}
  </article>`;
}

/** What a target is, and on what it stands. Pure. */
export const kindOf = ({ kind, depends_on: parents }: TargetView, { forOperators: own }: Words): string =>
  parents.length > 0 ? `${kind} · ${own.dependsOn(parents)}` : kind;

/** The last looks at a target, what it said last, and within which time its outage is told. Pure. @param now ISO */
export function glance(target: TargetView, now: string, { language, words }: Voice): Html {
  const { forOperators: own } = words;
  const since = target.since === null ? '–' : showDuration(Date.parse(now) - Date.parse(target.since));
  return html`${sparkline(target, words)}
    <p class="detail">
      ${target.held_by !== null && html`<strong>${target.held_by}</strong>: ${own.notTold}<br />`}${target.detail}${target.facts.map(({ label, value }) => html`<br /><span class="soft">${labelIn(label, language)}: ${value}</span>`)}
    </p>
    <dl class="facts">
      <div>
        <dt>${own.lastLatency}</dt>
        <dd>${target.latency_ms === null ? '–' : showDuration(target.latency_ms)}</dd>
      </div>
      <div>
        <dt>${own.alertWithin}</dt>
        <dd>${showDuration(Math.ceil(target.detection_bound_ms / 100) * 100)}</dd>
      </div>
      <div>
        <dt>${own.for[target.status]}</dt>
        <dd>${since}</dd>
      </div>
    </dl>`;
}

/** One bar a look, newest at the right; its height tells the latency beside the slowest one shown. */
function sparkline(target: TargetView, { forOperators: own }: Words): Html {
  const looks = target.recent.slice(-barsShown);
  const slowest = Math.max(1, ...looks.map(({ latency_ms: ms }) => ms));
  const bars = Array.from({ length: barsShown }, (_, index) => {
    const look = looks[index - (barsShown - looks.length)];
    const height = look ? Math.max(4, Math.round((look.latency_ms / slowest) * 32)) : 4;
    return html`<rect class="${look?.outcome ?? ''}" x="${index * 5}" y="${34 - height}" width="3.4" height="${height}" rx="1.2"></rect>`;
  });
  const label = looks.length === 0 ? own.noLook : own.looks(looks.length, showDuration(slowest));
  return html`<svg class="spark" viewBox="0 0 300 34" preserveAspectRatio="none" role="img" aria-label="${label}">${bars}</svg>`;
}
