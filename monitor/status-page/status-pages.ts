import Koa from 'koa';
import type { Logger } from '#lib/logger.ts';
import type { IncidentRecords } from '../store/store.ts';
import type { Access } from './access.ts';
import { hearBeat } from './beat-page.ts';
import { controlPages, type Control } from './control-pages.ts';
import { historyHtml } from './history-html.ts';
import { presentHistory, type HistoryView } from './history-view.ts';
import {
  keepNote,
  operatorIncident,
  operatorIncidents,
  publicIncident,
  publicIncidents,
  showIncident,
  showIncidents,
} from './incident-pages.ts';
import { renderMetrics } from './metrics.ts';
import { publicHtml } from './public-html.ts';
import { publicIncidentHtml, publicIncidentsHtml } from './public-incident-html.ts';
import { presentPublic, type PublicView } from './public-view.ts';
import { addressOf, refuseEntry, signInPages, signOutForm } from './sign-in-pages.ts';
import { statusHtml } from './status-html.ts';
import type { StatusSnapshot } from './status-snapshot.ts';
import { presentStatus } from './status-view.ts';
import { languageFor, voiceOf, type Voice } from './words.ts';

/** What a page is made from. */
type Visit = Pick<PageDeps, 'access' | 'records'> & {
  readonly ctx: Koa.Context;
  readonly snapshot: StatusSnapshot;
  /** What the path has in the place of the star. */
  readonly name: string;
};

type PageMaker = (visit: Visit) => void | Promise<void>;

/** For everybody. What is not named here is for operators, or is not there. */
const publicPages: Readonly<Record<string, PageMaker>> = {
  '/': ({ ctx, ...visit }) => showHtml(ctx, publicHtml(publicView(visit), voiceFor(ctx))),
  '/api/status': ({ ctx, ...visit }) => {
    ctx.body = publicView(visit);
  },
  '/history': ({ ctx, snapshot }) => showHtml(ctx, historyHtml(historyOf(snapshot), snapshot.now, voiceFor(ctx))),
  '/api/history': ({ ctx, snapshot }) => {
    ctx.body = historyOf(snapshot);
  },
  '/incidents': ({ ctx, records, snapshot }) => {
    const { incidents, next } = publicIncidents(records, ctx);
    showHtml(ctx, publicIncidentsHtml(incidents, next, voiceFor(ctx), snapshot.now));
  },
  '/api/incidents': ({ ctx, records }) => {
    ctx.body = publicIncidents(records, ctx);
  },
  '/incidents/*': ({ ctx, records, snapshot, name }) => {
    const incident = publicIncident(records, name);
    if (incident) showHtml(ctx, publicIncidentHtml(incident, voiceFor(ctx), snapshot.now));
  },
  '/api/incidents/*': ({ ctx, records, name }) => {
    ctx.body = publicIncident(records, name);
  },
};

const operatorPages: Readonly<Record<string, PageMaker>> = {
  '/operator': ({ ctx, snapshot, access }) =>
    showHtml(ctx, statusHtml(presentStatus(snapshot), signOutForm(access.formToken(ctx.headers, Date.now())))),
  '/api/operator/status': ({ ctx, snapshot }) => {
    ctx.body = presentStatus(snapshot);
  },
  '/operator/incidents': ({ ctx, records, snapshot }) => {
    const targets = snapshot.targets.map(({ name }) => name);
    showHtml(ctx, showIncidents(operatorIncidents(records, ctx, snapshot.now), ctx, targets));
  },
  '/api/operator/incidents': ({ ctx, records, snapshot }) => {
    ctx.body = operatorIncidents(records, ctx, snapshot.now);
  },
  '/operator/incidents/*': ({ ctx, records, snapshot, access, name }) => {
    const view = operatorIncident(records, name, snapshot.now);
    if (view) showHtml(ctx, showIncident(view, ctx, access));
  },
  '/api/operator/incidents/*': ({ ctx, records, snapshot, name }) => {
    ctx.body = operatorIncident(records, name, snapshot.now);
  },
  '/metrics': async ({ ctx, snapshot }) => {
    const { contentType, text } = await renderMetrics(snapshot, process.memoryUsage.rss());
    ctx.set('content-type', contentType);
    ctx.body = text;
  },
};

function publicView({ snapshot, records }: Pick<Visit, 'snapshot' | 'records'>): PublicView {
  const shown = snapshot.incidents?.map(({ id }) => id) ?? [];
  return presentPublic(snapshot, records.notesOf(shown));
}

const historyOf = ({ targets, readTallies, now }: StatusSnapshot): HistoryView[] =>
  presentHistory(
    targets.map(({ name }) => name),
    readTallies(),
    now,
  );

function showHtml(ctx: Koa.Context, markup: string): void {
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = markup;
}

function voiceFor(ctx: Koa.Context): Voice {
  ctx.vary('Accept-Language');
  const { lang } = ctx.query;
  return voiceOf(languageFor(typeof lang === 'string' ? lang : undefined, ctx.get('accept-language')));
}

function notThere(ctx: Koa.Context): void {
  ctx.status = 404;
  ctx.body = { detail: 'there is no such page' };
}

export type PageDeps = {
  readonly takeSnapshot: () => Promise<StatusSnapshot>;
  readonly control: Control;
  readonly access: Access;
  readonly records: IncidentRecords;
  readonly logger: Logger;
};

type Found = { readonly make: PageMaker; readonly name: string };

/** The page at a path; a star in its place stands for one name. Pure. */
function pageAt(pages: Readonly<Record<string, PageMaker>>, path: string): Found | undefined {
  const slash = path.lastIndexOf('/');
  const [exact, starred] = [path, `${path.slice(0, slash)}/*`].map((key) => (Object.hasOwn(pages, key) ? pages[key] : undefined));
  if (exact && !path.endsWith('*')) return { make: exact, name: '' };
  const name = decoded(path.slice(slash + 1));
  return starred && name ? { make: starred, name } : undefined;
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

/** The pages as a request handler: names and how they fare for everybody, all else for operators; what changes something has to be signed. */
export function statusPages({ takeSnapshot, control, access, records, logger }: PageDeps): ReturnType<Koa['callback']> {
  const app = new Koa();
  app.use(async (ctx) => {
    const change = controlPages[`${ctx.method} ${ctx.path}`];
    const signIn = signInPages[`${ctx.method} ${ctx.path}`];
    if (ctx.path.startsWith('/beat/')) {
      await answer(ctx, () => hearBeat(ctx, control));
    } else if (change) {
      await answer(ctx, () => change(ctx, control, takeSnapshot));
    } else if (signIn) {
      await answer(ctx, () => signIn(ctx, access));
    } else if (ctx.method === 'POST' && ctx.path === '/operator/notes') {
      await answer(ctx, () => keepNote(ctx, access, control));
    } else if (!['GET', 'HEAD'].includes(ctx.method)) {
      ctx.status = 405;
      ctx.set('allow', 'GET, HEAD');
      ctx.body = { detail: 'only GET and HEAD are answered here' };
    } else {
      await answer(ctx, () => show(ctx));
    }
  });
  // A client that leaves in the middle is no event.
  app.on('error', (err: Error) => logger.debug({ err }, 'an answer of the status page was cut off'));
  return app.callback();

  async function show(ctx: Koa.Context): Promise<void> {
    const open = pageAt(publicPages, ctx.path);
    const found = open ?? pageAt(operatorPages, ctx.path);
    if (!found) return notThere(ctx);
    const asker = { headers: ctx.headers, method: 'GET', path: ctx.path, address: addressOf(ctx) };
    const admission = open ? 'admitted' : access.admits(asker, Date.now());
    if (admission !== 'admitted') return refuseEntry(ctx, admission);
    await found.make({ ctx, snapshot: await takeSnapshot(), access, records, name: found.name });
    if (ctx.body === undefined || ctx.body === null) notThere(ctx);
  }

  async function answer(ctx: Koa.Context, make: () => void | Promise<void>): Promise<void> {
    try {
      await make();
    } catch (err) {
      logger.error({ err }, 'a page could not be made');
      ctx.status = 500;
      ctx.body = { detail: 'the page could not be made; the log says why' };
    }
  }
}
