import Koa from 'koa';
import type { Logger } from '#lib/logger.ts';
import { controlPages, type Control } from './control-pages.ts';
import { historyHtml } from './history-html.ts';
import { presentHistory, type HistoryView } from './history-view.ts';
import { renderMetrics } from './metrics.ts';
import { statusHtml } from './status-html.ts';
import type { StatusSnapshot } from './status-snapshot.ts';
import { presentStatus } from './status-view.ts';

type PageMaker = (ctx: Koa.Context, snapshot: StatusSnapshot) => void | Promise<void>;

const pages: Readonly<Record<string, PageMaker>> = {
  '/': (ctx, snapshot) => {
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = statusHtml(presentStatus(snapshot));
  },
  '/api/status': (ctx, snapshot) => {
    ctx.body = presentStatus(snapshot);
  },
  '/history': (ctx, snapshot) => {
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = historyHtml(historyOf(snapshot), snapshot.now);
  },
  '/api/history': (ctx, snapshot) => {
    ctx.body = historyOf(snapshot);
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

export type PageDeps = {
  readonly takeSnapshot: () => Promise<StatusSnapshot>;
  readonly control: Control;
  readonly logger: Logger;
};

/** The pages as a request handler. What is shown is readable by whoever reaches it; what changes something has to be signed. */
export function statusPages({ takeSnapshot, control, logger }: PageDeps): ReturnType<Koa['callback']> {
  const app = new Koa();
  app.use(async (ctx) => {
    const make = Object.hasOwn(pages, ctx.path) ? pages[ctx.path] : undefined;
    const change = controlPages[`${ctx.method} ${ctx.path}`];
    if (change) {
      await answer(ctx, () => change(ctx, control, takeSnapshot));
    } else if (!['GET', 'HEAD'].includes(ctx.method)) {
      ctx.status = 405;
      ctx.set('allow', 'GET, HEAD');
      ctx.body = { detail: 'only GET and HEAD are answered here' };
    } else if (make) {
      await answer(ctx, async () => make(ctx, await takeSnapshot()));
    } else {
      ctx.status = 404;
      ctx.body = { detail: 'there is no such page' };
    }
  });
  // A client that leaves in the middle is no event.
  app.on('error', (err: Error) => logger.debug({ err }, 'an answer of the status page was cut off'));
  return app.callback();

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
