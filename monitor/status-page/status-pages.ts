import Koa from 'koa';
import type { Logger } from '#lib/logger.ts';
import type { IncidentRecords, LatencyLedger } from '../store/store.ts';
import type { Access } from './access.ts';
import { hearBeat } from './beat-page.ts';
import { controlPages, type Control } from './control-pages.ts';
import { keepNote, operatorIncident, operatorIncidents, showIncident, showIncidents } from './incident-pages.ts';
import { readLatency, readRange } from './latency-view.ts';
import { createLive, type Live } from './live.ts';
import { renderMetrics } from './metrics.ts';
import { createBodyCache, createPublicState } from './public-cache.ts';
import { publicPages } from './public-pages.ts';
import { addressOf, refuseEntry, signInPages, signOutForm } from './sign-in-pages.ts';
import { statusHtml } from './status-html.ts';
import type { StatusSnapshot } from './status-snapshot.ts';
import { presentStatus } from './status-view.ts';
import { operatorTargetHtml, readTarget } from './target-html.ts';
import { voiceFor } from './words.ts';

/** What a page is made from. */
type Visit = Pick<PageDeps, 'access' | 'records' | 'latencies'> & {
  readonly ctx: Koa.Context;
  readonly snapshot: StatusSnapshot;
  /** Of what is shown, as `live` tells it. */
  readonly version: string;
  readonly live: Live;
  /** What the path has in the place of the star. */
  readonly name: string;
};

/** Operators see each look; what everybody sees, such as an outage, at once. */
const operatorGrainMs = 5_000;

type PageMaker = (visit: Visit) => void | Promise<void>;

/** What is neither here nor among the public pages is not there. */
const operatorPages: Readonly<Record<string, PageMaker>> = {
  '/operator': ({ ctx, snapshot, access, version }) => {
    const voice = voiceFor(ctx);
    const signOut = signOutForm(access.formToken(ctx.headers, Date.now()), voice);
    showHtml(ctx, statusHtml(presentStatus(snapshot, voice.language), voice, { version, signOut }));
  },
  '/operator/events': async ({ ctx, live }) => {
    if (ctx.method === 'GET') return live.listen(ctx);
    ctx.body = '';
  },
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
  '/operator/incidents/*': ({ ctx, records, snapshot, access, version, name }) => {
    const view = operatorIncident(records, name, { now: snapshot.now, language: voiceFor(ctx).language });
    if (view) showHtml(ctx, showIncident(view, ctx, access, version));
  },
  '/api/operator/incidents/*': ({ ctx, records, snapshot, name }) => {
    ctx.body = operatorIncident(records, name, { now: snapshot.now, language: 'en' });
  },
  '/operator/targets/*': ({ ctx, snapshot, records, latencies, version, name }) => {
    const voice = voiceFor(ctx);
    const view = readTarget(snapshot, { records, latencies }, { name, range: readRange(ctx.query['range']), language: voice.language });
    if (view) showHtml(ctx, operatorTargetHtml(view, voice, version));
  },
  '/api/operator/latency/*': ({ ctx, snapshot, latencies, name }) => {
    const target = snapshot.targets.find((each) => each.name === name);
    const range = readRange(ctx.query['range']);
    if (target) ctx.body = readLatency(latencies, { target: name, range, intervalMs: target.cadence.intervalMs, now: snapshot.now });
  },
  '/metrics': async ({ ctx, snapshot }) => {
    const { contentType, text } = await renderMetrics(snapshot, process.memoryUsage.rss());
    ctx.set('content-type', contentType);
    ctx.body = text;
  },
};

function showHtml(ctx: Koa.Context, markup: string): void {
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = markup;
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
  readonly latencies: LatencyLedger;
  /** Where people reach the status page, as feeds name it. */
  readonly origin: string;
  readonly logger: Logger;
};

export type StatusPages = {
  readonly handle: ReturnType<Koa['callback']>;
  /** Resolves once nothing is read for pages that listened; called when no connection is left. */
  readonly close: () => Promise<void>;
};

type Found<Page> = { readonly make: Page; readonly name: string };

/** The page at a path; a star in its place stands for one name. Pure. */
function pageAt<Page>(pages: Readonly<Record<string, Page>>, path: string): Found<Page> | undefined {
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
export function statusPages({ takeSnapshot, control, access, records, latencies, origin, logger }: PageDeps): StatusPages {
  const publicState = createPublicState(takeSnapshot, records);
  const live = createLive({ version: async () => (await publicState()).version, logger });
  const operatorVersion = async (): Promise<string> => `${(await publicState()).version}.${Math.floor(Date.now() / operatorGrainMs)}`;
  const operatorLive = createLive({ version: operatorVersion, logger });
  const showBody = createBodyCache();
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
  return { handle: app.callback(), close: async () => void (await Promise.all([live.close(), operatorLive.close()])) };

  async function show(ctx: Koa.Context): Promise<void> {
    const open = pageAt(publicPages, ctx.path);
    const guarded = open ? undefined : pageAt(operatorPages, ctx.path);
    if (open) {
      await open.make({ ctx, name: open.name, state: await publicState(), records, latencies, show: showBody, live, origin });
    } else if (guarded) {
      const asker = { headers: ctx.headers, method: 'GET', path: ctx.path, address: addressOf(ctx) };
      const admission = access.admits(asker, Date.now());
      if (admission !== 'admitted') return refuseEntry(ctx, admission);
      const [snapshot, version] = [await takeSnapshot(), await operatorVersion()];
      await guarded.make({ ctx, snapshot, version, live: operatorLive, access, records, latencies, name: guarded.name });
    }
    if (ctx.respond !== false && ctx.status !== 304 && (ctx.body === undefined || ctx.body === null)) notThere(ctx);
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
