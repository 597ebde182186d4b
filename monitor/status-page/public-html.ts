import { html, type Html } from '#lib/html.ts';
import { showDuration } from '#lib/show.ts';
import { dayBars, uptimeShares } from './history-html.ts';
import { pageShell } from './page-shell.ts';
import { publicIncidentItems } from './public-incident-html.ts';
import type { PublicState } from './public-cache.ts';
import type { PublicTarget, PublicView } from './public-view.ts';
import type { MaintenanceView } from './quiet-view.ts';
import { statusIcon, statusSign } from './status-signs.ts';
import type { Voice } from './words.ts';

const daysShown = 90;
const reloadSeconds = 60;
/** The others are on their own page. */
const incidentsListed = 8;

/** What anybody may see, in their language: whole, and reloaded each minute, without a script; with one, live. Pure. */
export function publicHtml({ view, version }: Pick<PublicState, 'view' | 'version'>, voice: Voice): string {
  const { words, language, time } = voice;
  const now = Date.parse(view.generated_at);
  const main = html`${hero(view, voice)}
    <h2>${words.services}</h2>
    <ul class="panel list services">
      ${view.targets.map((target) => service(target, voice, now))}
    </ul>
    ${plannedWork(view.maintenance, voice)}
    <h2>${words.incidents}</h2>
    ${incidents(view, voice)}`;
  const other = language === 'en' ? 'es' : 'en';
  return pageShell({
    language,
    title: `${view.status === 'up' ? '' : `${words.status[view.status].toUpperCase()} · `}Atalaya · ${words.title}`,
    live: { events: `/events?seen=${version}`, reloadSeconds },
    head: html`<link rel="alternate" type="application/atom+xml" href="/feed.atom?lang=${language}" title="${words.incidents}" />
      <link rel="icon" href="${statusIcon(view.status)}" />`,
    aside: html`<div class="small soft"><time datetime="${view.generated_at}">${words.asOf(time(view.generated_at))}</time></div>`,
    main,
    footer: html`<a href="/history?lang=${language}">${words.history}</a> ·
      <a href="/?lang=${other}" lang="${other}" hreflang="${other}">${words.other}</a> · <a href="/feed.atom?lang=${language}">Atom</a> ·
      <a href="/api/status">JSON</a> · <a href="/operator">${words.operators}</a>. ${words.allUtc}`,
  });
}

function hero(view: PublicView, { words }: Voice): Html {
  const troubled = view.targets.filter(({ status }) => status === view.status).map(({ name }) => name);
  return html`<section class="hero ${view.status}" role="status">
    ${statusSign(view.status)}
    <div>
      <h1>${words.headline[view.status](troubled.join(', '))}</h1>
      <p>${summary(view, words)}</p>
    </div>
  </section>`;
}

function summary({ incidents: known, generated_at: now }: PublicView, words: Voice['words']): string {
  if (known === null) return words.unreadable;
  const open = known.filter(({ ended_at: endedAt }) => endedAt === null).length;
  if (open > 0) return words.openIncidents(open);
  const last = known.find(({ ended_at: endedAt }) => endedAt !== null)?.ended_at;
  return last ? words.quietFor(showDuration(Math.max(60_000, Date.parse(now) - Date.parse(last)))) : words.noIncidents;
}

function service({ name, status, history }: PublicTarget, voice: Voice, now: number): Html {
  const { words, language } = voice;
  return html`<li class="${status}" data-target="${name}" data-status="${status}">
    <span class="what"
      ><a href="/targets/${encodeURIComponent(name)}?lang=${language}"><strong>${name}</strong></a
      ><br /><span class="small soft">${uptimeShares(history, words)}</span></span
    >
    <span class="end"><span class="pill">${words.status[status]}</span></span>
    <span class="bars">${dayBars(history, { days: daysShown, now, words })}</span>
  </li>`;
}

function plannedWork(maintenance: readonly MaintenanceView[], { words, time }: Voice): Html | undefined {
  if (maintenance.length === 0) return undefined;
  return html`<h2>${words.maintenance}</h2>
    <ul class="panel list planned">
      ${maintenance.map(({ targets, is_under_way: isUnderWay, starts_at: startsAt, ends_at: endsAt }) => {
        const when = isUnderWay ? words.until(time(endsAt)) : words.from(time(startsAt), time(endsAt));
        return html`<li><span class="what">${targets?.join(', ') ?? words.everything}</span><span class="small">${when}</span></li>`;
      })}
    </ul>`;
}

function incidents({ incidents: known, generated_at: now }: PublicView, voice: Voice): Html {
  const { words, language } = voice;
  if (known === null) return html`<p class="panel empty warn">${words.unreadable}</p>`;
  return html`${publicIncidentItems(known.slice(0, incidentsListed), voice, Date.parse(now))}
    <p class="small"><a href="/incidents?lang=${language}">${words.allIncidents}</a></p>`;
}
