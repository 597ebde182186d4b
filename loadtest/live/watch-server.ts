import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { html, type Html } from '#lib/html.ts';
import { listen } from '#lib/listen.ts';
import { chartsAllow, pageOf, readChartAssets } from '../report/page.ts';
import type { LiveView } from './live-view.ts';

/** A page on this machine that shows a run while it is played. */
export type Watch = {
  readonly origin: string;
  readonly show: (view: LiveView) => void;
  /** Tells every page how it ended, and closes. */
  readonly end: (says: string) => Promise<void>;
};

/** Who opens the page late sees as much of what was before. */
const rememberedViews = 3_600;

/**
 * Opens the page, for this machine alone: it listens on loopback, and answers only to that name, so that no page of another
 * site can read it through a name of its own.
 * @param port 0 takes a free one
 * @throws {ConfigError} when it cannot listen there
 */
export async function openWatch(port: number): Promise<Watch> {
  const page = await watchPage();
  const listeners = new Set<ServerResponse>();
  const views: string[] = [];
  const server = createServer((request, response) => {
    const { port: own } = server.address() as AddressInfo;
    const isMeant = [`127.0.0.1:${own}`, `localhost:${own}`].includes(request.headers.host ?? '');
    if (!isMeant || request.method !== 'GET') return refuse(response, 403);
    if (request.url === '/events') return follow(response);
    if (request.url !== '/') return refuse(response, 404);
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(page);
  });
  const follow = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(views.join(''));
    listeners.add(response);
    response.once('close', () => listeners.delete(response));
  };
  await listen(server, { host: '127.0.0.1', port, hostVariable: '--watch', portVariable: '--watch' });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    show: (view) => {
      const event = eventOf('view', view);
      views.push(event);
      if (views.length > rememberedViews) views.shift();
      for (const response of listeners) send(response, event);
    },
    end: async (says) => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const response of listeners) response.end(eventOf('end', { says }));
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), closeMs);
      await closed;
      clearTimeout(late);
    },
  };
}

/** A page that does not take its farewell by then is left. */
const closeMs = 500;
/** A page that reads no more, such as of a laptop that sleeps, must not cost the client of the load its memory. */
const maxUnreadBytes = 1_000_000;

function send(response: ServerResponse, event: string): void {
  if (response.writableLength > maxUnreadBytes) response.destroy();
  else response.write(event);
}

const eventOf = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

const refuse = (response: ServerResponse, status: number): void => void response.writeHead(status).end();

async function watchPage(): Promise<string> {
  const { styles, scripts } = await readChartAssets(`${import.meta.dirname}/watch-page.js`);
  const content = html`<header class="card">
      <h1 data-show="title">waiting for the load to begin…</h1>
      <p class="soft" data-show="says"></p>
    </header>
    <section class="tiles">${['left', 'answers a second', 'p50', 'p95', 'p99', 'errors', 'pool'].map(tile)}</section>
    <section class="charts led spaced">${['latency', 'answers', 'pool'].map(chart)}</section>`;
  return pageOf({ title: 'load test', allows: `${chartsAllow}; connect-src 'self'`, styles, content, scripts });
}

const tile = (name: string): Html =>
  html`<div class="card tile">
    <p class="soft small">${name}</p>
    <p class="value" data-show="${name}">–</p>
  </div>`;

const titles: Readonly<Record<string, string>> = {
  latency: 'Latency, last seconds',
  answers: 'Right answers a second',
  pool: 'Database pool',
};

const chart = (name: string): Html =>
  html`<div class="card ${name === 'latency' && 'wide'}">
    <h3>${titles[name]}</h3>
    <div class="chart" data-chart="${name}" data-height="${name === 'latency' ? 280 : 200}"></div>
  </div>`;
