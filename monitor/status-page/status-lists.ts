import { html, type Html } from '#lib/html.ts';
import { showBytes, showDuration, showTime } from '#lib/show.ts';
import type { BackupsView, ChannelView, IncidentView, StatusView } from './status-view.ts';
import type { Voice, Words } from './words.ts';

/** The others are on their own page. */
const incidentsListed = 8;

/** The last incidents, newest first; a target that came and went stands there once, without each of its outages. Pure. */
export function incidentList(view: StatusView, voice: Voice): Html {
  const { words } = voice;
  if (view.incidents === null) return html`<p class="panel empty warn">${words.forOperators.storeUnreadable}</p>`;
  if (view.incidents.length === 0) return html`<p class="panel empty">${words.noIncidents}</p>`;
  const flapping = view.incidents.filter(({ kind }) => kind === 'flapping');
  const shown = view.incidents.filter((incident) => incident.alerted_at !== null || !flapping.some((each) => covers(each, incident)));
  return incidentItems(shown.slice(0, incidentsListed), voice);
}

/** Incidents as operators see them, each with the way to all that is on record of it. Pure. */
export const incidentItems = (incidents: readonly IncidentView[], voice: Voice): Html =>
  html`<ol class="panel list incidents">
    ${incidents.map((each) => incidentItem(each, voice))}
  </ol>`;

/** The outage by which a target is found to come and go is detected in the same moment, and begins before it. */
function covers(flapping: IncidentView, incident: IncidentView): boolean {
  const isWithin =
    incident.detected_at >= flapping.detected_at && (flapping.ended_at === null || incident.detected_at <= flapping.ended_at);
  return incident.kind === 'down' && incident.target === flapping.target && isWithin;
}

function incidentItem(incident: IncidentView, { words, language }: Voice): Html {
  const { forOperators: own } = words;
  const isOpen = incident.ended_at === null;
  const tone = incident.kind === 'degraded' || incident.kind === 'unknown' ? incident.kind : 'down';
  const until = incident.ended_at === null ? words.stillGoing : own.to(timeOfDay(incident.started_at, incident.ended_at));
  return html`<li class="${isOpen ? tone : ''}" data-incident="${incident.id}">
    <span
      ><strong><a href="/operator/incidents/${encodeURIComponent(incident.id)}?lang=${language}">${incident.target}</a></strong
      >${incident.kind === 'down' ? undefined : html`<br /><span class="small soft">${own.kind[incident.kind]}</span>`}</span
    >
    <span class="what small">${incident.detail}<br /><span class="soft">${told(incident, own)}</span></span>
    <span class="when small"
      ><time datetime="${incident.started_at}">${showTime(incident.started_at)}</time><br /><span class="soft">${until}</span></span
    >
    <span class="end"
      >${isOpen ? html`<span class="pill">${showDuration(incident.duration_ms)}</span>` : showDuration(incident.duration_ms)}</span
    >
  </li>`;
}

function told(incident: IncidentView, own: Words['forOperators']): string {
  if (incident.acknowledged_by !== null) return own.takenOnBy(incident.acknowledged_by);
  if (incident.alerted_at === null && incident.held_by !== null) return own.keptBackBy(incident.held_by);
  if (incident.explained_by !== null) return own.toldWith(incident.explained_by);
  if (incident.alerted_at === null) return incident.ended_at === null ? own.held : own.overBefore;
  const afterMs = Date.parse(incident.alerted_at) - Date.parse(incident.started_at);
  return afterMs > 0 ? own.raisedAfter(showDuration(afterMs)) : own.raisedAtOnce;
}

/** The second time of a span: without the date where it is the same day. */
function timeOfDay(start: string, end: string): string {
  return start.slice(0, 10) === end.slice(0, 10) ? end.slice(11, 19) : showTime(end);
}

/** Backups and alert channels, side by side. Pure. */
export function sideLists(view: StatusView, { words }: Voice): Html {
  const { forOperators: own } = words;
  return html`<div class="columns">
    <section>
      <h2>${own.backups}</h2>
      ${backupList(view.backups, view.generated_at, words)}
    </section>
    <section>
      <h2>${own.channels}</h2>
      ${channelList(view.channels, words)}
    </section>
  </div>`;
}

function backupList(backups: BackupsView, now: string, { forOperators: own }: Words): Html {
  if (backups.state === 'off') return html`<p class="panel empty">${own.backupsOff}</p>`;
  if (backups.state === 'unreadable') return html`<p class="panel empty warn">${own.backupsUnreadable}</p>`;
  if (!('recent' in backups)) return html``;
  const tone = { running: 'degraded', failing: 'down', waiting: 'unknown', ok: 'up' }[backups.state];
  const next = backups.next_at === null ? own.dueNow : own.next(showTime(backups.next_at).slice(0, 16));
  return html`<ul class="panel list backups">
    <li class="${tone}">
      <span>${own.daily(backups.schedule_utc)}<br /><span class="small soft">${next}</span></span
      ><span class="end"><span class="pill">${own.backup[backups.state] ?? backups.state}</span></span>
    </li>
    ${backups.last_failure === null ? undefined : html`<li><span class="small warn what">${backups.last_failure}</span></li>`}
    ${backups.recent.map(
      (backup) =>
        html`<li class="${backup.state === 'verified' ? 'up' : backup.state === 'failed' ? 'down' : 'unknown'}">
          <span class="small"
            ><time datetime="${backup.taken_at}">${showTime(backup.taken_at)}</time>
            <span class="soft"
              >· ${showBytes(backup.size_bytes)} · ${own.ago(showDuration(Date.parse(now) - Date.parse(backup.taken_at)))}</span
            ></span
          >
          <span class="end"><span class="pill">${own.backup[backup.state] ?? backup.state}</span></span>
        </li>`,
    )}
  </ul>`;
}

function channelList(channels: readonly ChannelView[] | null, words: Words): Html {
  if (channels === null) return html`<p class="panel empty warn">${words.forOperators.storeUnreadable}</p>`;
  if (channels.length === 0) {
    return html`<p class="panel empty">${words.forOperators.noChannels}</p>`;
  }
  return html`<ul class="panel list channels">
    ${channels.map((each) => channelItem(each, words))}
  </ul>`;
}

function channelItem(channel: ChannelView, { forOperators: own }: Words): Html {
  const last = channel.last_sent_at === null ? own.noMessage : own.lastMessage(showTime(channel.last_sent_at));
  const isBroken = channel.broken_since !== null || channel.failed > 0;
  const isWell = channel.pending === 0 && !isBroken;
  const broken = channel.broken_since === null ? own.setAside(channel.failed) : own.broken;
  const state = isBroken ? broken : isWell ? own.delivered : own.waiting(channel.pending);
  const error = channel.last_error === null ? undefined : html`<br /><span class="small warn">${channel.last_error}</span>`;
  return html`<li class="${isBroken ? 'down' : isWell ? 'up' : 'degraded'}">
    <span class="what">${channel.name}<br /><span class="small soft">${last}</span>${error}</span>
    <span class="end"><span class="pill">${channel.last_sent_at === null && isWell ? own.ready : state}</span></span>
  </li>`;
}
