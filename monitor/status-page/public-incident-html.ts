import { html, type Html } from '#lib/html.ts';
import { showDuration } from '#lib/show.ts';
import { momentOf, spanBar, toneOf } from './incident-span.ts';
import { pageShell } from './page-shell.ts';
import type { PublicIncident, PublicNote } from './public-view.ts';
import type { Voice } from './words.ts';

/** Incidents as everybody sees them, newest first, each with the last that was written of it. Pure. */
export function publicIncidentItems(incidents: readonly PublicIncident[], voice: Voice, now: number): Html {
  if (incidents.length === 0) return html`<p class="panel empty">${voice.words.noIncidents}</p>`;
  return html`<ol class="panel list public-incidents">
    ${incidents.map((incident) => incidentItem(incident, voice, now))}
  </ol>`;
}

function incidentItem(incident: PublicIncident, voice: Voice, now: number): Html {
  const { id, target, kind, started_at: startedAt, ended_at: endedAt, notes } = incident;
  const { words, time, language } = voice;
  const last = notes.at(-1);
  return html`<li class="${endedAt === null ? toneOf(kind) : ''}" data-incident="${id}">
    <span class="what"
      ><a href="/incidents/${encodeURIComponent(id)}?lang=${language}"><strong>${target}</strong>: ${words.kind[kind]}</a><br /><time
        class="small"
        datetime="${startedAt}"
        >${time(startedAt)}</time
      ></span
    >
    <span class="end small"
      >${endedAt === null ? html`<span class="pill">${words.stillGoing}</span>` : lasted(startedAt, endedAt, voice, now)}</span
    >
    ${last && html`<span class="text small">${last.text}</span>`}
  </li>`;
}

const lasted = (startedAt: string, endedAt: string, { words }: Voice, now: number): string =>
  words.lasted(showDuration(Math.max(0, Math.min(now, Date.parse(endedAt)) - Date.parse(startedAt))));

/** A page of incidents for everybody. Pure. @param next address of the page after it; null on the last */
export function publicIncidentsHtml(incidents: readonly PublicIncident[], next: string | null, voice: Voice, now: number): string {
  const { words, language } = voice;
  return pageShell({
    language,
    title: `Atalaya · ${words.incidents}`,
    main: html`<h1 class="plain">${words.incidents}</h1>
      ${publicIncidentItems(incidents, voice, now)}
      <p>
        ${next !== null && html`<a href="${next}&lang=${language}">${words.older}</a> · `}<a href="/?lang=${language}">${words.back}</a> ·
        <a href="/api/incidents">JSON</a>
      </p>`,
  });
}

/** One incident for everybody: when it was, and what operators wrote of it for all. Pure. */
export function publicIncidentHtml(incident: PublicIncident, voice: Voice, now: number): string {
  const { words, language, time } = voice;
  const { target, kind, started_at: startedAt, ended_at: endedAt, notes } = incident;
  const isOpen = endedAt === null;
  const span = isOpen ? words.forOperators.goesOnFor(showDuration(now - Date.parse(startedAt))) : lasted(startedAt, endedAt, voice, now);
  const story = [
    { at: startedAt, tone: toneOf(kind), text: words.began },
    ...notes.filter((note) => note.kind === 'note').map(({ at, text }) => ({ at, tone: 'unknown', text })),
    ...(isOpen ? [] : [{ at: endedAt, tone: 'up', text: words.ended }]),
  ].toSorted((a, b) => a.at.localeCompare(b.at));
  return pageShell({
    language,
    title: `Atalaya · ${target}`,
    main: html`<h1 class="plain ${isOpen ? toneOf(kind) : 'up'}">
        ${target}: ${words.kind[kind]} <span class="pill">${isOpen ? words.stillGoing : words.over}</span>
      </h1>
      <section class="panel card">
        ${spanBar({ tone: toneOf(kind), startedAt, endedAt, marks: [], now, label: `${words.kind[kind]}, ${span}` }, time)}
        <p class="small soft">${span}${!isOpen && ` · ${words.forOperators.ago(showDuration(now - Date.parse(endedAt)))}`}</p>
      </section>
      ${notes.filter((note) => note.kind === 'post_mortem').map((note) => postMortem(note, voice))}
      <h2>${words.forOperators.timeline}</h2>
      <ol class="panel list story">
        ${story.map(({ at, tone, text }) => html`<li class="${tone}">${momentOf(at, startedAt, time)}<span class="what text">${text}</span></li>`)}
      </ol>
      <p><a href="/incidents?lang=${language}">${words.incidents}</a> · <a href="/?lang=${language}">${words.back}</a></p>`,
  });
}

const postMortem = ({ at, text }: PublicNote, { words, time }: Voice): Html =>
  html`<h2>${words.postMortem}</h2>
    <article class="panel card note post-mortem">
      <p class="text">${text}</p>
      <p class="small soft"><time datetime="${at}">${time(at)}</time></p>
    </article>`;
