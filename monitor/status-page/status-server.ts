import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError, UnreachableError, messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { metricsContentType, metricsText } from './metrics-text.ts';
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

type Page = { readonly status: number; readonly type: string; readonly body: string };
type PageMaker = (snapshot: StatusSnapshot) => Page;

const json = (status: number, value: unknown): Page => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
});

const pages: Readonly<Record<string, PageMaker>> = {
  '/': (snapshot) => ({ status: 200, type: 'text/html; charset=utf-8', body: statusHtml(presentStatus(snapshot)) }),
  '/api/status': (snapshot) => json(200, presentStatus(snapshot)),
  // Says whether the monitor works, not whether its targets do.
  '/healthz': ({ self }) => json(self.status === 'failing' ? 503 : 200, self),
  '/metrics': (snapshot) => ({ status: 200, type: metricsContentType, body: metricsText(snapshot, process.memoryUsage.rss()) }),
};

const securityHeaders = {
  'content-security-policy': `default-src 'none'; style-src '${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/**
 * Serves the status page, `/api/status`, `/healthz` and `/metrics`. All of it is readable by whoever reaches the address.
 * @throws {ConfigError} when the port is in use or may not be used
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request, options.takeSnapshot).then(
      (page) => send(request, response, page),
      (err: unknown) => {
        options.logger.error({ err }, 'a page could not be made');
        send(request, response, json(500, { detail: 'the page could not be made; the log says why' }));
      },
    );
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  server.maxConnections = 200;
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

async function listen(server: Server, { host, port }: StatusServerOptions): Promise<void> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE') throw new ConfigError([`port ${port} on ${host} is in use; set MONITOR_PORT to a free one`], { cause: err });
    if (code === 'EACCES')
      throw new ConfigError([`port ${port} may not be used by this user; set MONITOR_PORT to one above 1023`], { cause: err });
    throw new UnreachableError(`cannot listen on ${host}:${port} (MONITOR_HOST, MONITOR_PORT): ${messageOf(err)}`, { cause: err });
  }
}

async function answer(request: IncomingMessage, takeSnapshot: () => Promise<StatusSnapshot>): Promise<Page> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { detail: 'only GET and HEAD are answered here' });
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const make = Object.hasOwn(pages, path) ? pages[path] : undefined;
  return make ? make(await takeSnapshot()) : json(404, { detail: 'there is no such page' });
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Page): void {
  response.writeHead(status, {
    ...securityHeaders,
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    'content-type': type,
    'content-length': Buffer.byteLength(body),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
