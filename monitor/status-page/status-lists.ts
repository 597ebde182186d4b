import { html, type Html } from '#lib/html.ts';
import { showBytes, showDuration, showTime } from '#lib/show.ts';
import type { BackupsView, ChannelView, IncidentView, StatusView } from './status-view.ts';

/** The last incidents, newest first; a target that came and went stands there once, without each of its outages. Pure. */
export function incidentList(view: StatusView): Html {
  if (view.incidents === null) return html`<p class="panel empty warn">The monitor’s own store cannot be read.</p>`;
  if (view.incidents.length === 0) return html`<p class="panel empty">None so far.</p>`;
  const flapping = view.incidents.filter(({ kind }) => kind === 'flapping');
  const shown = view.incidents.filter((incident) => incident.alerted_at !== null || !flapping.some((each) => covers(each, incident)));
  return incidentItems(shown);
}

/** Incidents as operators see them, each with the way to all that is on record of it. Pure. */
export const incidentItems = (incidents: readonly IncidentView[]): Html =>
  html`<ol class="panel list incidents">
    ${incidents.map(incidentItem)}
  </ol>`;

/** The outage by which a target is found to come and go is detected in the same moment, and begins before it. */
function covers(flapping: IncidentView, incident: IncidentView): boolean {
  const isWithin =
    incident.detected_at >= flapping.detected_at && (flapping.ended_at === null || incident.detected_at <= flapping.ended_at);
  return incident.kind === 'down' && incident.target === flapping.target && isWithin;
}

function incidentItem(incident: IncidentView): Html {
  const isOpen = incident.ended_at === null;
  const tone = incident.kind === 'degraded' || incident.kind === 'unknown' ? incident.kind : 'down';
  const until = incident.ended_at === null ? 'still going on' : `to ${timeOfDay(incident.started_at, incident.ended_at)}`;
  return html`<li class="${isOpen ? tone : ''}" data-incident="${incident.id}">
    <span
      ><strong><a href="/operator/incidents/${encodeURIComponent(incident.id)}">${incident.target}</a></strong
      >${incident.kind === 'down' ? undefined : html`<br /><span class="small soft">${kinds[incident.kind]}</span>`}</span
    >
    <span class="what small">${incident.detail}<br /><span class="soft">${told(incident)}</span></span>
    <span class="when small"
      ><time datetime="${incident.started_at}">${showTime(incident.started_at)}</time><br /><span class="soft">${until}</span></span
    >
    <span class="end"
      >${isOpen ? html`<span class="pill">${showDuration(incident.duration_ms)}</span>` : showDuration(incident.duration_ms)}</span
    >
  </li>`;
}

const kinds = {
  down: 'down',
  unknown: 'could not be judged',
  flapping: 'came and went',
  degraded: 'degraded',
  self: 'the monitor itself',
} as const;

function told(incident: IncidentView): string {
  if (incident.acknowledged_by !== null) return `taken on by ${incident.acknowledged_by}`;
  if (incident.alerted_at === null && incident.held_by !== null) return `kept back by ${incident.held_by}`;
  if (incident.explained_by !== null) return `told with ${incident.explained_by}, on which it depends`;
  if (incident.alerted_at === null)
    return incident.ended_at === null ? 'alert held until its cause is clear' : 'over before an alert was due';
  const afterMs = Date.parse(incident.alerted_at) - Date.parse(incident.started_at);
  return afterMs > 0 ? `alert raised after ${showDuration(afterMs)}` : 'alert raised at once';
}

/** The second time of a span: without the date where it is the same day. */
function timeOfDay(start: string, end: string): string {
  return start.slice(0, 10) === end.slice(0, 10) ? end.slice(11, 19) : showTime(end);
}

/** Backups and alert channels, side by side. Pure. */
export function sideLists(view: StatusView): Html {
  return html`<div class="columns">
    <section>
      <h2>Backups</h2>
      ${backupList(view.backups, view.generated_at)}
    </section>
    <section>
      <h2>Alert channels</h2>
      ${channelList(view.channels)}
    </section>
  </div>`;
}

function backupList(backups: BackupsView, now: string): Html {
  if (backups.state === 'off') return html`<p class="panel empty">Off: BACKUP_ENABLED is false.</p>`;
  if (backups.state === 'unreadable') return html`<p class="panel empty warn">The catalogue of backups cannot be read.</p>`;
  if (!('recent' in backups)) return html``;
  const tone = { running: 'degraded', failing: 'down', waiting: 'unknown', ok: 'up' }[backups.state];
  const next = backups.next_at === null ? 'due now' : `next ${showTime(backups.next_at).slice(0, 16)} UTC`;
  return html`<ul class="panel list backups">
    <li class="${tone}">
      <span>Daily at ${backups.schedule_utc} UTC<br /><span class="small soft">${next}</span></span
      ><span class="end"><span class="pill">${backups.state}</span></span>
    </li>
    ${backups.last_failure === null ? undefined : html`<li><span class="small warn what">${backups.last_failure}</span></li>`}
    ${backups.recent.map(
      (backup) =>
        html`<li class="${backup.state === 'verified' ? 'up' : backup.state === 'failed' ? 'down' : 'unknown'}">
          <span class="small"
            ><time datetime="${backup.taken_at}">${showTime(backup.taken_at)}</time>
            <span class="soft"
              >· ${showBytes(backup.size_bytes)} · ${showDuration(Date.parse(now) - Date.parse(backup.taken_at))} ago</span
            ></span
          >
          <span class="end"><span class="pill">${backup.state}</span></span>
        </li>`,
    )}
  </ul>`;
}

function channelList(channels: readonly ChannelView[] | null): Html {
  if (channels === null) return html`<p class="panel empty warn">The monitor’s own store cannot be read.</p>`;
  if (channels.length === 0) {
    return html`<p class="panel empty">None. Set SLACK_WEBHOOK_URL or SMTP_URL, and nobody has to look here.</p>`;
  }
  return html`<ul class="panel list channels">
    ${channels.map(channelItem)}
  </ul>`;
}

function channelItem(channel: ChannelView): Html {
  const last = channel.last_sent_at === null ? 'no message yet' : `last message ${showTime(channel.last_sent_at)}`;
  const isBroken = channel.broken_since !== null || channel.failed > 0;
  const isWell = channel.pending === 0 && !isBroken;
  const broken = channel.broken_since === null ? `${channel.failed} set aside` : 'broken';
  const state = isBroken ? broken : isWell ? 'delivered' : `${channel.pending} waiting`;
  const error = channel.last_error === null ? undefined : html`<br /><span class="small warn">${channel.last_error}</span>`;
  return html`<li class="${isBroken ? 'down' : isWell ? 'up' : 'degraded'}">
    <span class="what">${channel.name}<br /><span class="small soft">${last}</span>${error}</span>
    <span class="end"><span class="pill">${channel.last_sent_at === null && isWell ? 'ready' : state}</span></span>
  </li>`;
}
