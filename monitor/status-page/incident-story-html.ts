import { html, type Html } from '#lib/html.ts';
import { showDuration, showTime } from '#lib/show.ts';
import { momentOf } from './incident-span.ts';
import type { IncidentStoryView, MessageView, NoteView } from './incident-view.ts';
import { eventIn, labelIn } from '../words/labels.ts';
import type { Language } from '../words/language.ts';
import type { Voice, Words } from './words.ts';

/** What operators wrote, what happened in order, who was told, and what was found, of an incident. Pure. */
export function storySections(
  { incident, timeline, evidence, messages, explained, notes }: IncidentStoryView,
  { language, words }: Voice,
): Html {
  const { forOperators: own } = words;
  const explainedItem = ({ id, target, detail }: IncidentStoryView['explained'][number]): Html =>
    html`<li>
      <a href="/operator/incidents/${encodeURIComponent(id)}?lang=${language}">${target}</a><span class="what">${detail}</span>
    </li>`;
  const findings = evidence.map(
    ({ label, value }) => html`<li><span class="soft">${labelIn(label, language)}</span><span class="what">${value}</span></li>`,
  );
  const writtenLast = notes.toSorted((a, b) => Number(b.kind === 'post_mortem') - Number(a.kind === 'post_mortem'));
  return html`<h2>${own.notes}</h2>
    ${notes.length === 0 ? html`<p class="panel empty">${words.noIncidents}</p>` : writtenLast.map((note) => noteItem(note, own))}
    <h2>${own.timeline}</h2>
    ${storyList(groupLooks(timeline), (each) => timelineItem(each, incident.started_at, findings.length, words))}
    <h2>${own.told}</h2>
    ${messages.length === 0 ? html`<p class="panel empty">${own.nobodyTold}</p>` : storyList(messages, (each) => messageItem(each, incident.started_at, { language, own }))}
    ${section(own.toldTogether, explained.map(explainedItem))}
    ${
      findings.length > 0 &&
      html`<h2>${own.evidence}</h2>
        <details class="panel" id="evidence">
          <summary id="findings">${own.facts(findings.length)}</summary>
          <ol class="list facts-list">
            ${findings}
          </ol>
        </details>`
    }`;
}

type OwnWords = Words['forOperators'];

function section(title: string, items: readonly Html[]): Html | undefined {
  if (items.length === 0) return undefined;
  return html`<h2>${title}</h2>
    <ol class="panel list facts-list">
      ${items}
    </ol>`;
}

const storyList = <T>(items: readonly T[], show: (item: T) => Html): Html =>
  html`<ol class="panel list story">
    ${items.map(show)}
  </ol>`;

type StoryEvent = IncidentStoryView['timeline'][number];

/** What channels did with messages has its own list, and what was found too. */
const toldApart: ReadonlySet<string> = new Set(['queued', 'accepted', 'set aside', 'told with another', 'waits']);

/** Looks that found the same one after the other are one line: its time is that of the first, and it says what the last one said. */
function groupLooks(events: readonly StoryEvent[]): (StoryEvent & { readonly count: number })[] {
  const groups: (StoryEvent & { readonly count: number })[] = [];
  for (const event of events.filter((each) => !toldApart.has(each.event))) {
    const last = groups.at(-1);
    const isSame = last?.event === event.event && event.event.startsWith('look ');
    if (isSame) groups[groups.length - 1] = { ...event, at: last.at, count: last.count + 1 };
    else groups.push({ ...event, count: 1 });
  }
  return groups;
}

const eventTones: Readonly<Record<string, string>> = {
  'look ok': 'up',
  'look degraded': 'degraded',
  'look failed': 'down',
  'found out': 'down',
  action: 'degraded',
  acknowledged: 'up',
  over: 'up',
};

function timelineItem(
  { at, event, by, detail, count }: StoryEvent & { readonly count: number },
  startedAt: string,
  findings: number,
  words: Words,
): Html {
  const { forOperators: own } = words;
  const times = count === 1 ? '' : ` × ${count}`;
  const said = event === 'over' ? words.lasted(showDuration(Date.parse(at) - Date.parse(startedAt))) : detail;
  return html`<li class="${eventTones[event] ?? 'unknown'}">
    ${momentOf(at, startedAt, showTime)}<span class="what small"
      ><span class="pill">${own.event[event] ?? event}${times}</span
      ><br />${event === 'evidence' ? html`<a href="#findings">${own.facts(findings)}</a>` : said}${by !== null && by !== 'monitor' && html` · ${own.by(by)}`}</span
    >
  </li>`;
}

const messageTones = { sent: 'up', failed: 'down', merged: 'unknown', pending: 'degraded' } as const;

function messageItem(
  { event, channel, queued_at: queuedAt, state, attempts, settled_at: at, last_error: error }: MessageView,
  startedAt: string,
  { language, own }: { readonly language: Language; readonly own: OwnWords },
): Html {
  const tries = at === null ? own.soFar(attempts) : own.attempts(attempts);
  return html`<li class="${messageTones[state]}">
    ${momentOf(at ?? queuedAt, startedAt, showTime)}<span class="what small"
      ><span class="pill">${own.messageState[state]}</span
      ><br />${own.message(eventIn(event, language), channel)}${attempts > 0 && `, ${tries}`}${error !== null && html`<br /><span class="warn">${error}</span>`}</span
    >
  </li>`;
}

function noteItem({ at, by, kind, is_public: isPublic, text }: NoteView, own: OwnWords): Html {
  return html`<article class="panel card note ${kind === 'note' ? '' : 'post-mortem'}">
    <h3>${kind === 'note' ? own.note : own.postMortem}</h3>
    <p class="text">${text}</p>
    <p class="small soft">${by}, <time datetime="${at}">${showTime(at)}</time>, ${isPublic ? own.forEverybody : own.forOperators}</p>
  </article>`;
}
