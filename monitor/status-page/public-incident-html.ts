import { html, type Html } from '#lib/html.ts';
import { showDuration } from '#lib/show.ts';
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
    <span class="end small">${howLong(incident, voice, now)}</span>
    ${last && html`<span class="text small">${last.text}</span>`}
  </li>`;
}

const toneOf = (kind: PublicIncident['kind']): string => (kind === 'flapping' ? 'down' : kind);

function howLong({ started_at: startedAt, ended_at: endedAt }: PublicIncident, { words }: Voice, now: number): Html {
  if (endedAt === null) return html`<span class="pill">${words.stillGoing}</span>`;
  return html`${words.lasted(showDuration(Math.max(0, Math.min(now, Date.parse(endedAt)) - Date.parse(startedAt))))}`;
}

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
  return pageShell({
    language,
    title: `Atalaya · ${target}`,
    main: html`<h1 class="plain">${target}: ${words.kind[kind]}</h1>
      <p class="${endedAt === null ? toneOf(kind) : ''}">${howLong(incident, voice, now)}</p>
      <ol class="panel list facts-list">
        <li><time datetime="${startedAt}">${time(startedAt)}</time><span class="what">${words.began}</span></li>
        ${notes.map((note) => noteItem(note, voice))}
        ${endedAt !== null && html`<li><time datetime="${endedAt}">${time(endedAt)}</time><span class="what">${words.ended}</span></li>`}
      </ol>
      <p><a href="/incidents?lang=${language}">${words.incidents}</a> · <a href="/?lang=${language}">${words.back}</a></p>`,
  });
}

function noteItem({ at, kind, text }: PublicNote, { words, time }: Voice): Html {
  return html`<li>
    <time datetime="${at}">${time(at)}</time
    ><span class="what text">${kind === 'post_mortem' && html`<strong>${words.postMortem}</strong> `}${text}</span>
  </li>`;
}
