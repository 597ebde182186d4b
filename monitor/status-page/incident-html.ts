import { html, type Html } from '#lib/html.ts';
import { showDuration, showTime } from '#lib/show.ts';
import { offsetOf, spanBar, toneOf } from './incident-span.ts';
import { storySections } from './incident-story-html.ts';
import type { IncidentPageView, IncidentStoryView } from './incident-view.ts';
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
 * @param token of the session; undefined: no form · `version`: of what is shown · `now`: ms of the epoch
 */
export function incidentHtml(
  story: IncidentStoryView,
  voice: Voice,
  { token, version, now }: { token: string | undefined; version: string; now: number },
): string {
  const { language, words } = voice;
  const { forOperators: own } = words;
  const { id, target, kind, ended_at: endedAt } = story.incident;
  return pageShell({
    language,
    title: `Atalaya · ${id}`,
    live: { events: `/operator/events?seen=${version}`, reloadSeconds },
    main: html`<h1 class="plain ${endedAt === null ? toneOf(kind) : 'up'}">
        ${target}: ${own.kind[kind]} <span class="pill">${endedAt === null ? words.stillGoing : words.over}</span>
      </h1>
      ${atAGlance(story, voice, now)} ${nextSteps(story, own)} ${storySections(story, voice)}`,
    form: html`${token !== undefined && noteForm(id, token, voice)}
      <p>
        <a href="/operator/incidents?lang=${language}">${words.incidents}</a> · <a href="/operator?lang=${language}">${own.overview}</a> ·
        <a href="/api/operator/incidents/${encodeURIComponent(id)}">JSON</a>
      </p>`,
  });
}

function atAGlance({ incident, cause, messages }: IncidentStoryView, { words }: Voice, now: number): Html {
  const { forOperators: own } = words;
  const { kind, detail, started_at: startedAt, detected_at: detectedAt, ended_at: endedAt, duration_ms: durationMs } = incident;
  const { acknowledged_at: takenAt, acknowledged_by: takenBy } = incident;
  const toldAt = messages.flatMap((each) => (each.state === 'sent' && each.settled_at !== null ? [each.settled_at] : [])).toSorted()[0];
  const after = (at: string): string => offsetOf(at, startedAt);
  const span = endedAt === null ? own.goesOnFor(showDuration(durationMs)) : words.lasted(showDuration(durationMs));
  const figures = [
    [own.foundOut, after(detectedAt)],
    [own.wasTold, toldAt === undefined ? '–' : after(toldAt)],
    [own.takenOn, takenAt === null ? own.takenOnByNobody : `${takenBy}, ${after(takenAt)}`],
  ] as const;
  const marks = [detectedAt, toldAt, takenAt].filter((at) => typeof at === 'string');
  return html`<section class="panel card">
    ${cause !== null && html`<p><strong>${cause}</strong></p>`}
    <p class="detail">${detail}</p>
    ${spanBar({ tone: toneOf(kind), startedAt, endedAt, marks, now, label: `${own.kind[kind]}, ${span}` }, showTime)}
    <p class="small soft">${span}${endedAt !== null && ` · ${own.ago(showDuration(now - Date.parse(endedAt)))}`}</p>
    <dl class="facts legend">
      ${figures.map(
        ([label, value]) =>
          html`<div>
            <dt>${label}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

/** Commands stand alone, so that they can be taken over at a click; what they do stands below. */
function nextSteps({ incident, next_step: nextStep }: IncidentStoryView, own: Words['forOperators']): Html | undefined {
  const { id, kind, ended_at: endedAt, acknowledged_by: takenBy } = incident;
  if (endedAt !== null) return undefined;
  const steps = nextStep?.split('; ').map((step) => /^(SELECT \S+\(\d*\)|npm run \w+ -- [\w-]+)? ?(.*)$/.exec(step)) ?? [];
  const mayTake = takenBy === null && kind !== 'self';
  const shown = [
    ...steps.map((step) => [step?.[1], step?.[2]] as const),
    ...(mayTake ? [[`npm run monitor -- ack ${id}`, own.mayTake] as const] : []),
  ];
  if (shown.length === 0) return undefined;
  return html`<h2>${own.nextStep}</h2>
    <section class="panel card steps">
      ${shown.map(
        ([command, says]) =>
          html`${command !== undefined && html`<pre class="command">${command}</pre>`}
            <p class="small">${says}</p>`,
      )}
    </section>`;
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
