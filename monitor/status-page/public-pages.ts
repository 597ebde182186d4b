import type Koa from 'koa';
import type { IncidentRecords, LatencyLedger } from '../store/store.ts';
import { badgeSvg, toneOfUptime } from './badge-svg.ts';
import { atomFeed } from './feed.ts';
import { historyHtml, uptimeShare } from './history-html.ts';
import { publicIncident, publicIncidents } from './incident-pages.ts';
import { readLatency, readRange, type LatencyRange, type LatencyView } from './latency-view.ts';
import type { Live } from './live.ts';
import { pageFiles } from './page-files.ts';
import type { createBodyCache, PublicState } from './public-cache.ts';
import { publicHtml } from './public-html.ts';
import { publicIncidentHtml, publicIncidentsHtml } from './public-incident-html.ts';
import { presentPublicIncident, type PublicTarget } from './public-view.ts';
import { publicTargetHtml } from './target-html.ts';
import { type Voice, voiceFor } from './words.ts';

/** What a page for everybody is made from. */
export type PublicVisit = {
  readonly ctx: Koa.Context;
  /** What the path has in the place of the star. */
  readonly name: string;
  readonly state: PublicState;
  readonly records: IncidentRecords;
  readonly latencies: LatencyLedger;
  readonly show: ReturnType<typeof createBodyCache>;
  readonly live: Live;
  /** Where people reach the status page. */
  readonly origin: string;
};

const incidentsShown = 10;

/** For everybody, by path. A page that depends on nothing but the state is made once for each. */
export const publicPages: Readonly<Record<string, (visit: PublicVisit) => void | Promise<void>>> = {
  '/': (visit) => showState(visit, 'html', (voice) => publicHtml(visit.state, voice)),
  '/api/status': (visit) => showState(visit, 'json', () => JSON.stringify(visit.state.view)),
  '/history': (visit) =>
    showState(visit, 'html', (voice) => historyHtml(historyOf(visit), Date.parse(visit.state.view.generated_at), voice)),
  '/api/history': (visit) => showState(visit, 'json', () => JSON.stringify(historyOf(visit))),
  '/feed.atom': (visit) =>
    showState(visit, 'application/atom+xml; charset=utf-8', (voice) => atomFeed(visit.state.view, visit.origin, voice)),
  '/badge/status.svg': (visit) => {
    const { status } = visit.state.view;
    showState(visit, 'svg', ({ words }) => badgeSvg(words.title, words.status[status], status));
  },
  '/badge/status/*': (visit) => showBadge(visit, ({ name, status }, { words }) => badgeSvg(name, words.status[status], status)),
  '/badge/uptime/*': (visit) =>
    showBadge(visit, ({ name, history: { uptime_30d: share } }, { words }) =>
      badgeSvg(`${name} ${words.uptime(30)}`, uptimeShare(share, words), toneOfUptime(share)),
    ),
  ...Object.fromEntries(Object.keys(pageFiles).map((path) => [path, showFile])),
  '/targets/*': (visit) => {
    const target = watchedAs(visit, visit.name);
    if (target) showState(visit, 'html', (voice) => targetPage(visit, target, voice), rangeOf(visit));
  },
  '/api/latency/*': (visit) => {
    const target = watchedAs(visit, visit.name);
    if (target?.shows_latency) showState(visit, 'json', () => JSON.stringify(latencyOf(visit, target)), rangeOf(visit));
  },
  '/events': async ({ ctx, live }) => {
    if (ctx.method === 'GET') return live.listen(ctx);
    ctx.body = '';
  },
  '/incidents': ({ ctx, records, state }) => {
    const { incidents, next } = publicIncidents(records, ctx);
    ctx.type = 'html';
    ctx.body = publicIncidentsHtml(incidents, next, voiceFor(ctx), state.snapshot.now);
  },
  '/api/incidents': ({ ctx, records }) => {
    ctx.body = publicIncidents(records, ctx);
  },
  '/incidents/*': ({ ctx, records, state, name }) => {
    const incident = publicIncident(records, name);
    if (!incident) return;
    ctx.type = 'html';
    ctx.body = publicIncidentHtml(incident, voiceFor(ctx), state.snapshot.now);
  },
  '/api/incidents/*': ({ ctx, records, name }) => {
    ctx.body = publicIncident(records, name);
  },
};

const historyOf = ({ state }: PublicVisit): PublicTarget['history'][] => state.view.targets.map(({ history }) => history);

const rangeOf = ({ ctx }: PublicVisit): LatencyRange => readRange(ctx.query['range']);

/** @param range of which it is, where there are several */
function showState({ ctx, state, show }: PublicVisit, type: string, make: (voice: Voice) => string, range = ''): void {
  const voice = voiceFor(ctx);
  ctx.type = type;
  show(ctx, state.version, `${ctx.path} ${voice.language} ${range}`, () => make(voice));
}

/** Only of what is watched: names that anybody makes up fill no memory. */
const watchedAs = ({ state }: PublicVisit, name: string): PublicTarget | undefined => state.view.targets.find((each) => each.name === name);

function showBadge(visit: PublicVisit, make: (target: PublicTarget, voice: Voice) => string): void {
  const target = visit.name.endsWith('.svg') ? watchedAs(visit, visit.name.slice(0, -'.svg'.length)) : undefined;
  if (target) showState(visit, 'svg', (voice) => make(target, voice));
}

function latencyOf(visit: PublicVisit, { name, shows_latency: isShown }: PublicTarget): LatencyView | undefined {
  const { now, targets } = visit.state.snapshot;
  const watched = targets.find((each) => each.name === name);
  if (!isShown || !watched) return undefined;
  return readLatency(visit.latencies, { target: name, range: rangeOf(visit), intervalMs: watched.cadence.intervalMs, now });
}

function targetPage(visit: PublicVisit, target: PublicTarget, voice: Voice): string {
  const { records, state } = visit;
  const found = records.incidentPage({ probe: target.name, isPublic: true, limit: incidentsShown });
  const notes = records.notesOf(found.map(({ id }) => id));
  const incidents = found.flatMap((each) => presentPublicIncident(each, notes));
  return publicTargetHtml({ target, latency: latencyOf(visit, target), incidents, version: state.version, now: state.snapshot.now }, voice);
}

function showFile({ ctx, show }: PublicVisit): void {
  const file = pageFiles[ctx.path];
  if (!file) return;
  ctx.type = file.type;
  show(ctx, '', ctx.path, file.read);
}
