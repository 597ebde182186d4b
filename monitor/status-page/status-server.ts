import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { lightHttp } from '#lib/light-http.ts';
import { listen } from '#lib/listen.ts';
import type { PageDeps, StatusPages } from './status-pages.ts';
import { styleHash } from './status-style.ts';

export type StatusServer = {
  readonly port: number;
  /** Cuts every connection off, and resolves once nothing is read for any of them, so that the store may be closed. */
  readonly close: () => Promise<void>;
};

export type StatusServerOptions = PageDeps & { readonly host: string; readonly port: number };

const securityHeaders = new Map([
  [
    'content-security-policy',
    `default-src 'none'; style-src 'self' '${styleHash}'; img-src data:; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  ],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['cache-control', 'no-store'],
]);

const mostConnections = 128;
const limits = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 1_000 };
/** Longest a connection may rest in the middle of an answer. */
const stuckMs = 20_000;

/**
 * Serves the pages.
 * @throws {ConfigError} when the port is in use or may not be used
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  let loaded: Promise<StatusPages> | undefined;
  // What only those who look need is loaded when somebody does: a monitor at rest, asked how it is, keeps its memory.
  const pages = (): Promise<StatusPages> => (loaded ??= import('./status-pages.ts').then(({ statusPages }) => statusPages(options)));
  const answering = new Set<Promise<void>>();
  const server = lightHttp().createServer(limits, (request, response) => {
    response.setHeaders(securityHeaders);
    const isHealth = request.url === '/healthz' && ['GET', 'HEAD'].includes(request.method ?? '');
    const answered = (isHealth ? answerHealth(options, response) : pages().then(({ handle }) => handle(request, response)))
      .catch((err: unknown) => {
        options.logger.error({ err }, 'a request for the status page could not be answered');
        response.destroy();
      })
      .finally(() => answering.delete(answered));
    answering.add(answered);
  });
  server.timeout = stuckMs;
  boundConnections(server);
  await listen(server, { host: options.host, port: options.port, hostVariable: 'MONITOR_HOST', portVariable: 'MONITOR_PORT' });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = server.listening ? once(server, 'close') : undefined;
      server.close();
      server.closeAllConnections();
      await closed;
      await Promise.all(answering);
      await (await loaded)?.close();
    },
  };
}

/** Says whether the monitor works, not whether its targets do; why not is for operators. */
async function answerHealth({ takeSnapshot }: PageDeps, response: ServerResponse): Promise<void> {
  const { self } = await takeSnapshot();
  response.writeHead(self.status === 'failing' ? 503 : 200, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify({ status: self.status }));
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
