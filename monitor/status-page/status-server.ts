import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import Koa from 'koa';
import { lightHttp } from '#lib/light-http.ts';
import { listen } from '#lib/listen.ts';
import type { Logger } from '#lib/logger.ts';
import { renderMetrics } from './metrics.ts';
import { statusHtml } from './status-html.ts';
import type { StatusSnapshot } from './status-snapshot.ts';
import { styleHash } from './status-style.ts';
import { presentStatus } from './status-view.ts';

export type StatusServer = {
  readonly port: number;
  readonly close: () => Promise<void>;
};

export type StatusServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly takeSnapshot: () => Promise<StatusSnapshot>;
  readonly logger: Logger;
};

type PageMaker = (ctx: Koa.Context, snapshot: StatusSnapshot) => void | Promise<void>;

const pages: Readonly<Record<string, PageMaker>> = {
  '/': (ctx, snapshot) => {
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = statusHtml(presentStatus(snapshot));
  },
  '/api/status': (ctx, snapshot) => {
    ctx.body = presentStatus(snapshot);
  },
  // Says whether the monitor works, not whether its targets do.
  '/healthz': (ctx, { self }) => {
    ctx.status = self.status === 'failing' ? 503 : 200;
    ctx.body = self;
  },
  '/metrics': async (ctx, snapshot) => {
    const { contentType, text } = await renderMetrics(snapshot, process.memoryUsage.rss());
    ctx.set('content-type', contentType);
    ctx.body = text;
  },
};

const securityHeaders = {
  'content-security-policy': `default-src 'none'; style-src '${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** The pages as an application: `/`, `/api/status`, `/healthz`, `/metrics`. All of it is readable by whoever reaches it. */
export function statusApp({ takeSnapshot, logger }: Pick<StatusServerOptions, 'takeSnapshot' | 'logger'>): Koa {
  const app = new Koa();
  app.use(async (ctx) => {
    ctx.set(securityHeaders);
    const make = Object.hasOwn(pages, ctx.path) ? pages[ctx.path] : undefined;
    if (!['GET', 'HEAD'].includes(ctx.method)) {
      ctx.status = 405;
      ctx.set('allow', 'GET, HEAD');
      ctx.body = { detail: 'only GET and HEAD are answered here' };
    } else if (make) {
      await answer(ctx, make);
    } else {
      ctx.status = 404;
      ctx.body = { detail: 'there is no such page' };
    }
  });
  // A client that leaves in the middle is no event.
  app.on('error', (err: Error) => logger.debug({ err }, 'an answer of the status page was cut off'));
  return app;

  async function answer(ctx: Koa.Context, make: PageMaker): Promise<void> {
    try {
      await make(ctx, await takeSnapshot());
    } catch (err) {
      logger.error({ err }, 'a page could not be made');
      ctx.status = 500;
      ctx.body = { detail: 'the page could not be made; the log says why' };
    }
  }
}

const mostConnections = 128;
const limits = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 1_000 };
/** Longest a connection may rest in the middle of an answer. */
const stuckMs = 20_000;

/**
 * Serves the pages.
 * @throws {ConfigError} when the port is in use or may not be used
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const handle = statusApp(options).callback();
  const server = lightHttp().createServer(limits, (request, response) => void handle(request, response));
  server.timeout = stuckMs;
  boundConnections(server);
  await listen(server, { host: options.host, port: options.port, hostVariable: 'MONITOR_HOST', portVariable: 'MONITOR_PORT' });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

/**
 * A connection beyond the bound takes the place of the one that has been silent for the longest: idle ones, however many,
 * keep nobody from the page.
 */
function boundConnections(server: Server): void {
  let open = 0;
  // In the order in which they fell silent.
  const silent = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open += 1;
    silent.add(socket);
    socket.once('close', () => {
      open -= 1;
      silent.delete(socket);
    });
    if (open > mostConnections) silent.values().next().value?.destroy();
  });
  server.on('request', ({ socket }, response) => {
    silent.delete(socket);
    response.once('close', () => void (socket.destroyed || silent.add(socket)));
  });
}
