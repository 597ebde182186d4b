import { html, type Html } from '#lib/html.ts';
import { showDuration, showTime } from '#lib/show.ts';
import type { IncidentPageView, IncidentStoryView, NoteView } from './incident-view.ts';
import { pageShell } from './page-shell.ts';
import { incidentItems } from './status-lists.ts';
import type { Voice, Words } from './words.ts';

const kinds = ['down', 'degraded', 'unknown', 'flapping', 'self'] as const;

/** Without a script. */
const reloadSeconds = 60;

type Asked = { readonly target: string | undefined; readonly kind: string | undefined; readonly targets: readonly string[] };

/** A page of incidents for operators, with what narrows them down. Pure. */
export function incidentPageHtml({ incidents, next }: IncidentPageView, { target, kind, targets }: Asked, voice: Voice): string {
  const { language, words } = voice;
  const { forOperators: own } = words;
  return pageShell({
    language,
    title: `Atalaya · ${words.incidents}`,
    main: html`<h1 class="plain">${words.incidents}</h1>
      <form class="filter" method="get" action="/operator/incidents">
        <input type="hidden" name="lang" value="${language}" />
        <label>${own.target} ${choice('target', own.any, targets, target)}</label>
        <label>${own.kindOf} ${choice('kind', own.any, kinds, kind, own.kind)}</label>
        <button>${own.show}</button>
      </form>
      ${incidents.length === 0 ? html`<p class="panel empty">${own.none}</p>` : incidentItems(incidents, voice)}
      <p>
        ${next !== null && html`<a href="${next}&lang=${language}">${words.older}</a> · `}<a href="/operator?lang=${language}"
          >${own.overview}</a
        >
      </p>`,
  });
}

const choice = (
  name: string,
  any: string,
  values: readonly string[],
  chosen: string | undefined,
  shown: Readonly<Record<string, string>> = {},
): Html =>
  html`<select name="${name}">
    <option value="">${any}</option>
    ${values.map((value) => html`<option value="${value}" ${value === chosen && 'selected'}>${shown[value] ?? value}</option>`)}
  </select>`;

/**
 * Everything on record of an incident, and the form that adds to it; live, but for the form. Pure.
 * @param token of the session; undefined: no form · `version`: of what is shown
 */
export function incidentHtml(
  story: IncidentStoryView,
  voice: Voice,
  { token, version }: { token: string | undefined; version: string },
): string {
  const { language, words } = voice;
  const { forOperators: own } = words;
  const { incident } = story;
  const { target, kind, ended_at: endedAt, duration_ms: durationMs, acknowledged_by: by } = incident;
  const span = showDuration(durationMs);
  return pageShell({
    language,
    title: `Atalaya · ${incident.id}`,
    live: { events: `/operator/events?seen=${version}`, reloadSeconds },
    main: html`<h1 class="plain">${target}: ${own.kind[kind]}</h1>
      <p class="detail">
        ${incident.detail}<br /><span class="soft"
          >${endedAt === null ? own.goesOnFor(span) : words.lasted(span)}${by !== null && `, ${own.takenOnBy(by)}`}</span
        >
      </p>
      ${storySections(story, voice)}`,
    form: html`${token !== undefined && noteForm(incident.id, token, voice)}
      <p>
        <a href="/operator/incidents?lang=${language}">${words.incidents}</a> · <a href="/operator?lang=${language}">${own.overview}</a> ·
        <a href="/api/operator/incidents/${encodeURIComponent(incident.id)}">JSON</a>
      </p>`,
  });
}

function storySections({ timeline, evidence, explained, notes }: IncidentStoryView, { language, words }: Voice): Html {
  const { forOperators: own } = words;
  const explainedItem = ({ id, target, detail }: IncidentStoryView['explained'][number]): Html =>
    html`<li>
      <a href="/operator/incidents/${encodeURIComponent(id)}?lang=${language}">${target}</a><span class="what">${detail}</span>
    </li>`;
  return html`${section(
      own.evidence,
      evidence.map(({ label, value }) => html`<li><span class="soft">${label}</span><span class="what">${value}</span></li>`),
    )}
    ${section(
      own.timeline,
      timeline.map((each) => timelineItem(each, own)),
    )}
    ${section(own.toldTogether, explained.map(explainedItem))}
    <h2>${own.notes}</h2>
    ${notes.length === 0 ? html`<p class="panel empty">${words.noIncidents}</p>` : notes.map((note) => noteItem(note, own))}`;
}

type OwnWords = Words['forOperators'];

function section(title: string, items: readonly Html[]): Html | undefined {
  if (items.length === 0) return undefined;
  return html`<h2>${title}</h2>
    <ol class="panel list facts-list">
      ${items}
    </ol>`;
}

function timelineItem({ at, event, detail }: IncidentStoryView['timeline'][number], own: OwnWords): Html {
  return html`<li>
    <span class="small"><time datetime="${at}">${showTime(at)}</time><br /><strong>${own.event[event] ?? event}</strong></span
    ><span class="what small">${detail}</span>
  </li>`;
}

function noteItem({ at, by, kind, is_public: isPublic, text }: NoteView, own: OwnWords): Html {
  return html`<article class="panel card note">
    <h3>${kind === 'note' ? own.note : own.postMortem}</h3>
    <p class="text">${text}</p>
    <p class="small soft">${by}, <time datetime="${at}">${showTime(at)}</time>, ${isPublic ? own.forEverybody : own.forOperators}</p>
  </article>`;
}

function noteForm(id: string, token: string, { language, words: { forOperators: own } }: Voice): Html {
  return html`<form class="panel card" method="post" action="/operator/notes?lang=${language}">
    <input type="hidden" name="token" value="${token}" /><input type="hidden" name="of" value="${id}" />
    <label>${own.text} <textarea name="text" rows="5" maxlength="20000" required></textarea></label>
    <label>${own.yourName} <input name="by" maxlength="60" autocomplete="name" required /></label>
    <label><input type="checkbox" name="kind" value="post_mortem" /> ${own.isPostMortem}</label>
    <label><input type="checkbox" name="public" value="yes" /> ${own.isPublic}</label>
    <p><button>${own.keep}</button></p>
  </form>`;
}
