import Koa from 'koa';
import type { Logger } from '#lib/logger.ts';
import type { Access } from './access.ts';
import { hearBeat } from './beat-page.ts';
import { controlPages, type Control } from './control-pages.ts';
import { historyHtml } from './history-html.ts';
import { presentHistory, type HistoryView } from './history-view.ts';
import { renderMetrics } from './metrics.ts';
import { publicHtml } from './public-html.ts';
import { presentPublic } from './public-view.ts';
import { addressOf, refuseEntry, signInPages, signOutForm } from './sign-in-pages.ts';
import { statusHtml } from './status-html.ts';
import type { StatusSnapshot } from './status-snapshot.ts';
import { presentStatus } from './status-view.ts';
import { languageFor, voiceOf, type Voice } from './words.ts';

type PageMaker = (ctx: Koa.Context, snapshot: StatusSnapshot, access: Access) => void | Promise<void>;

/** For everybody. What is not named here is for operators, or is not there. */
const publicPages: Readonly<Record<string, PageMaker>> = {
  '/': (ctx, snapshot) => showHtml(ctx, publicHtml(presentPublic(snapshot), voiceFor(ctx))),
  '/api/status': (ctx, snapshot) => {
    ctx.body = presentPublic(snapshot);
  },
  '/history': (ctx, snapshot) => showHtml(ctx, historyHtml(historyOf(snapshot), snapshot.now, voiceFor(ctx))),
  '/api/history': (ctx, snapshot) => {
    ctx.body = historyOf(snapshot);
  },
};

const operatorPages: Readonly<Record<string, PageMaker>> = {
  '/operator': (ctx, snapshot, access) =>
    showHtml(ctx, statusHtml(presentStatus(snapshot), signOutForm(access.formToken(ctx.headers, Date.now())))),
  '/api/operator/status': (ctx, snapshot) => {
    ctx.body = presentStatus(snapshot);
  },
  '/metrics': async (ctx, snapshot) => {
    const { contentType, text } = await renderMetrics(snapshot, process.memoryUsage.rss());
    ctx.set('content-type', contentType);
    ctx.body = text;
  },
};

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

export type PageDeps = {
  readonly takeSnapshot: () => Promise<StatusSnapshot>;
  readonly control: Control;
  readonly access: Access;
  readonly logger: Logger;
};

const pageAt = (pages: Readonly<Record<string, PageMaker>>, path: string): PageMaker | undefined =>
  Object.hasOwn(pages, path) ? pages[path] : undefined;

/** The pages as a request handler: names and how they fare for everybody, all else for operators; what changes something has to be signed. */
export function statusPages({ takeSnapshot, control, access, logger }: PageDeps): ReturnType<Koa['callback']> {
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
    if (open) return open(ctx, await takeSnapshot(), access);
    const guarded = pageAt(operatorPages, ctx.path);
    if (!guarded) {
      ctx.status = 404;
      ctx.body = { detail: 'there is no such page' };
      return;
    }
    const admission = access.admits({ headers: ctx.headers, method: 'GET', path: ctx.path, address: addressOf(ctx) }, Date.now());
    if (admission === 'admitted') await guarded(ctx, await takeSnapshot(), access);
    else refuseEntry(ctx, admission);
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
