import { html, type Html } from '#lib/html.ts';
import { showDuration, showTime } from '#lib/show.ts';
import type { IncidentPageView, IncidentStoryView, NoteView } from './incident-view.ts';
import { pageShell } from './page-shell.ts';
import { incidentItems } from './status-lists.ts';

const kinds = ['down', 'degraded', 'unknown', 'flapping', 'self'] as const;

type Asked = { readonly target: string | undefined; readonly kind: string | undefined; readonly targets: readonly string[] };

/** A page of incidents for operators, with what narrows them down. Pure. */
export function incidentPageHtml({ incidents, next }: IncidentPageView, { target, kind, targets }: Asked): string {
  return pageShell({
    language: 'en',
    title: 'Atalaya · incidents',
    main: html`<h1 class="plain">Incidents</h1>
      <form class="filter" method="get" action="/operator/incidents">
        <label>Target ${choice('target', targets, target)}</label> <label>Kind ${choice('kind', kinds, kind)}</label>
        <button>Show</button>
      </form>
      ${incidents.length === 0 ? html`<p class="panel empty">None.</p>` : incidentItems(incidents)}
      <p>${next !== null && html`<a href="${next}">Older ones</a> · `}<a href="/operator">Overview</a></p>`,
  });
}

const choice = (name: string, values: readonly string[], chosen: string | undefined): Html =>
  html`<select name="${name}">
    <option value="">any</option>
    ${values.map((value) => html`<option ${value === chosen && 'selected'}>${value}</option>`)}
  </select>`;

/** Everything on record of an incident, and the form that adds to it. Pure. @param token of the session; undefined: no form */
export function incidentHtml({ incident, timeline, evidence, explained, notes }: IncidentStoryView, token: string | undefined): string {
  const { target, kind, ended_at: endedAt, duration_ms: durationMs, acknowledged_by: by } = incident;
  const state = endedAt === null ? `goes on for ${showDuration(durationMs)}` : `lasted ${showDuration(durationMs)}`;
  return pageShell({
    language: 'en',
    title: `Atalaya · ${incident.id}`,
    main: html`<h1 class="plain">${target}: ${kind === 'self' ? 'the monitor itself' : kind}</h1>
      <p class="detail">${incident.detail}<br /><span class="soft">${state}${by !== null && `, taken on by ${by}`}</span></p>
      ${section(
        'Evidence',
        evidence.map(({ label, value }) => html`<li><span class="soft">${label}</span><span class="what">${value}</span></li>`),
      )}
      ${section('Timeline', timeline.map(timelineItem))}
      ${section(
        'Told with this one',
        explained.map(
          (each) =>
            html`<li>
              <a href="/operator/incidents/${encodeURIComponent(each.id)}">${each.target}</a><span class="what">${each.detail}</span>
            </li>`,
        ),
      )}
      <h2>Notes</h2>
      ${notes.length === 0 ? html`<p class="panel empty">None so far.</p>` : notes.map(noteItem)}
      ${token !== undefined && noteForm(incident.id, token)}
      <p>
        <a href="/operator/incidents">Incidents</a> · <a href="/operator">Overview</a> ·
        <a href="/api/operator/incidents/${encodeURIComponent(incident.id)}">JSON</a>
      </p>`,
  });
}

function section(title: string, items: readonly Html[]): Html | undefined {
  if (items.length === 0) return undefined;
  return html`<h2>${title}</h2>
    <ol class="panel list facts-list">
      ${items}
    </ol>`;
}

function timelineItem({ at, event, detail }: IncidentStoryView['timeline'][number]): Html {
  return html`<li>
    <span class="small"><time datetime="${at}">${showTime(at)}</time><br /><strong>${event}</strong></span
    ><span class="what small">${detail}</span>
  </li>`;
}

function noteItem({ at, by, kind, is_public: isPublic, text }: NoteView): Html {
  return html`<article class="panel card note">
    <h3>${kind === 'note' ? 'Note' : 'Post-mortem'}</h3>
    <p class="text">${text}</p>
    <p class="small soft">${by}, <time datetime="${at}">${showTime(at)}</time>, ${isPublic ? 'for everybody' : 'for operators'}</p>
  </article>`;
}

function noteForm(id: string, token: string): Html {
  return html`<form class="panel card" method="post" action="/operator/notes">
    <input type="hidden" name="token" value="${token}" /><input type="hidden" name="of" value="${id}" />
    <label>Text <textarea name="text" rows="5" maxlength="20000" required></textarea></label>
    <label>Your name <input name="by" maxlength="60" autocomplete="name" required /></label>
    <label><input type="checkbox" name="kind" value="post_mortem" /> It is the post-mortem</label>
    <label><input type="checkbox" name="public" value="yes" /> Everybody may read it</label>
    <p><button>Keep it</button></p>
  </form>`;
}
