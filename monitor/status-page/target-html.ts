import { html, type Html } from '#lib/html.ts';
import { showTime } from '#lib/show.ts';
import type { IncidentRecords, LatencyLedger } from '../store/store.ts';
import { dayBars, uptimeShares } from './history-html.ts';
import { presentHistory, type HistoryView } from './history-view.ts';
import { chartAssets, latencySection } from './latency-html.ts';
import { readLatency, type LatencyRange, type LatencyView } from './latency-view.ts';
import { pageShell } from './page-shell.ts';
import { publicIncidentItems } from './public-incident-html.ts';
import type { PublicIncident, PublicTarget } from './public-view.ts';
import { glance, kindOf } from './status-html.ts';
import { incidentItems } from './status-lists.ts';
import { statusIcon } from './status-signs.ts';
import type { StatusSnapshot } from './status-snapshot.ts';
import type { Language } from '../words/language.ts';
import { presentIncident, presentTarget, type IncidentView, type TargetView } from './status-view.ts';
import type { Voice } from './words.ts';

const daysShown = 90;

export type PublicTargetPage = {
  readonly target: PublicTarget;
  /** Undefined: it was not said that everybody may see it. */
  readonly latency: LatencyView | undefined;
  /** Newest first. */
  readonly incidents: readonly PublicIncident[];
  /** Of what everybody sees. */
  readonly version: string;
  readonly now: number;
};

/** What everybody may know of one target. Pure. */
export function publicTargetHtml({ target, latency, incidents, version, now }: PublicTargetPage, voice: Voice): string {
  const { words, language, time } = voice;
  const { name, status } = target;
  const path = `/targets/${encodeURIComponent(name)}`;
  return pageShell({
    language,
    title: `${status === 'up' ? '' : `${words.status[status].toUpperCase()} · `}Atalaya · ${name}`,
    live: { events: `/events?seen=${version}`, reloadSeconds: 60 },
    head: html`${latency && chartAssets}<link rel="icon" href="${statusIcon(status)}" />`,
    aside: html`<div class="small soft">${words.asOf(time(now))}</div>`,
    main: html`<h1 class="plain ${status}">${name} <span class="pill">${words.status[status]}</span></h1>
      ${uptimeSection(target, voice, now)}
      ${latency && latencySection(latency, voice, { path, data: `/api/latency/${encodeURIComponent(name)}?range=${latency.range}` })}
      <h2>${words.incidents}</h2>
      ${publicIncidentItems(incidents, voice, now)}`,
    footer: html`<a href="/?lang=${language}">${words.back}</a> · <a href="/history?lang=${language}">${words.history}</a>. ${words.allUtc}`,
  });
}

/** Uptime, and the last days as bars. */
const uptimeSection = ({ history }: Pick<PublicTarget, 'history'>, { words }: Voice, now: number): Html =>
  html`<section class="panel card">
    <p class="detail">${uptimeShares(history, words)}</p>
    ${dayBars(history, { days: daysShown, now, words })}
  </section>`;

const incidentsShown = 10;

export type OperatorTargetPage = {
  readonly target: TargetView;
  readonly history: HistoryView;
  readonly latency: LatencyView;
  readonly incidents: readonly IncidentView[];
  readonly now: number;
};

/** Everything shown of one target; undefined where none has that name. @throws {StoreError} */
export function readTarget(
  snapshot: StatusSnapshot,
  { records, latencies }: { readonly records: IncidentRecords; readonly latencies: LatencyLedger },
  { name, range, language }: { readonly name: string; readonly range: LatencyRange; readonly language: Language },
): OperatorTargetPage | undefined {
  const { now } = snapshot;
  const found = snapshot.targets.find((each) => each.name === name);
  const [history] = presentHistory([name], snapshot.readTallies(), now);
  if (!found || !history) return undefined;
  return {
    target: presentTarget(found, language),
    history,
    latency: readLatency(latencies, { target: name, range, intervalMs: found.cadence.intervalMs, now }),
    incidents: records.incidentPage({ probe: name, limit: incidentsShown }).map((each) => presentIncident(each, now)),
    now,
  };
}

/** What operators see of one target. Pure. @param version of what is shown */
export function operatorTargetHtml(
  { target, history, latency, incidents, now }: OperatorTargetPage,
  voice: Voice,
  version: string,
): string {
  const { words, language } = voice;
  const { forOperators: own } = words;
  const { name, status } = target;
  const path = `/operator/targets/${encodeURIComponent(name)}`;
  return pageShell({
    language,
    title: `${status === 'up' ? '' : `${words.status[status].toUpperCase()} · `}Atalaya · ${name}`,
    live: { events: `/operator/events?seen=${version}`, reloadSeconds: 60 },
    head: html`${chartAssets}<link rel="icon" href="${statusIcon(status)}" />`,
    aside: html`<div class="small soft">${words.asOf(showTime(now))}</div>`,
    main: html`<h1 class="plain ${status}">
        ${name} <span class="pill">${target.is_flapping ? own.comesAndGoes : words.status[status]}</span>
      </h1>
      <section class="panel card ${status}" data-target="${name}" data-status="${status}">
        <div class="small soft">${kindOf(target, words)}</div>
        ${glance(target, new Date(now).toISOString(), voice)}
      </section>
      ${uptimeSection({ history }, voice, now)}
      ${latencySection(latency, voice, { path, data: `/api/operator/latency/${encodeURIComponent(name)}?range=${latency.range}` })}
      <h2>${own.lastIncidents}</h2>
      ${incidents.length === 0 ? html`<p class="panel empty">${words.noIncidents}</p>` : incidentItems(incidents, voice)}`,
    footer: html`<a href="/operator?lang=${language}">${own.overview}</a> ·
      <a href="/operator/incidents?target=${encodeURIComponent(name)}&lang=${language}">${own.allIncidents}</a>. ${words.allUtc}`,
  });
}
