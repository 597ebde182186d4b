import type Koa from 'koa';
import type { IncidentRecords } from '../store/store.ts';
import { badgeSvg, toneOfUptime } from './badge-svg.ts';
import { atomFeed } from './feed.ts';
import { historyHtml, uptimeShare } from './history-html.ts';
import { publicIncident, publicIncidents } from './incident-pages.ts';
import { liveScript, type Live } from './live.ts';
import type { createBodyCache, PublicState } from './public-cache.ts';
import { publicHtml } from './public-html.ts';
import { publicIncidentHtml, publicIncidentsHtml } from './public-incident-html.ts';
import type { PublicTarget } from './public-view.ts';
import { languageFor, voiceOf, type Voice } from './words.ts';

/** What a page for everybody is made from. */
export type PublicVisit = {
  readonly ctx: Koa.Context;
  /** What the path has in the place of the star. */
  readonly name: string;
  readonly state: PublicState;
  readonly records: IncidentRecords;
  readonly show: ReturnType<typeof createBodyCache>;
  readonly live: Live;
  /** Where people reach the status page. */
  readonly origin: string;
};

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
  '/live.js': ({ ctx, show }) => {
    ctx.type = 'text/javascript; charset=utf-8';
    show(ctx, '', ctx.path, () => liveScript);
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

function showState({ ctx, state, show }: PublicVisit, type: string, make: (voice: Voice) => string): void {
  const voice = voiceFor(ctx);
  ctx.type = type;
  show(ctx, state.version, `${ctx.path} ${voice.language}`, () => make(voice));
}

/** Only of what is watched: names that anybody makes up fill no memory. */
function showBadge(visit: PublicVisit, make: (target: PublicTarget, voice: Voice) => string): void {
  const target = visit.state.view.targets.find(({ name }) => `${name}.svg` === visit.name);
  if (target) showState(visit, 'svg', (voice) => make(target, voice));
}

function voiceFor(ctx: Koa.Context): Voice {
  ctx.vary('Accept-Language');
  const { lang } = ctx.query;
  return voiceOf(languageFor(typeof lang === 'string' ? lang : undefined, ctx.get('accept-language')));
}
