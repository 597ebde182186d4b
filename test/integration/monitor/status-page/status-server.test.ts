// One server, and every page and answer of it, behind the one start they share; so it is long.

import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import Koa from 'koa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger, type Logger } from '#lib/logger.ts';
import type { TargetSnapshot } from '#monitor/health/watch.ts';
import type { Incident } from '#monitor/model/incident.ts';
import type { Signer } from '#monitor/quiet/signature.ts';
import { createAccess } from '#monitor/status-page/access.ts';
import type { Control } from '#monitor/status-page/control-pages.ts';
import { createLive } from '#monitor/status-page/live.ts';
import { startStatusServer, type StatusServer, type StatusServerOptions } from '#monitor/status-page/status-server.ts';
import type { IncidentRecords, LatencyLedger } from '#monitor/store/store.ts';
import type { StatusSnapshot } from '#monitor/status-page/status-snapshot.ts';
import { changedId, eventsOf } from './events.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const signer: Signer = {
  sign: (purpose, text) => createHash('sha256').update(`${purpose}${text}`).digest('base64url'),
  isSigned: (purpose, text, signature) => signer.sign(purpose, text) === signature,
};
const control: Control = {
  signer,
  takeNonce: () => false,
  incident: () => undefined,
  obey: () => {
    throw new Error('nobody may ask');
  },
  hear: () => false,
};
const records: IncidentRecords = {
  incident: () => undefined,
  isTaken: () => false,
  incidentPage: () => [],
  storyOf: () => ({ messages: [], timeline: [], explained: [] }),
  notesOf: () => [],
};
const point = { at: 0, looks: 1, p50Ms: 4_711, p95Ms: 4_711, longestMs: 4_711 };
const latencies: LatencyLedger = {
  add: () => {},
  points: () => [point],
  sum: () => ({ classes: { 1: 1 }, longestMs: 4_711 }),
  forget: () => {},
};
const snapshot: StatusSnapshot = {
  now: 0,
  startedAt: 0,
  targets: [],
  incidents: [],
  silences: [],
  maintenance: [],
  timeline: [],
  readTallies: () => [],
  channels: [],
  backups: { state: 'off' },
  self: { status: 'ok', reasons: [] },
};

const start = async (...given: Parameters<typeof startServer>): Promise<number> => (await startServer(...given)).port;

async function startServer(
  takeSnapshot: () => Promise<StatusSnapshot> = () => Promise.resolve(snapshot),
  password?: string,
  changes: Partial<StatusServerOptions> = {},
): Promise<StatusServer> {
  const access = createAccess({ password: () => password, signer, isSecure: false });
  const server = await startStatusServer({
    host: '127.0.0.1',
    port: 0,
    takeSnapshot,
    control,
    access,
    records,
    latencies,
    origin: 'http://status.test',
    logger,
    ...changes,
  });
  onTestFinished(server.close);
  return server;
}

/** Connections that begin with this text and say nothing more. */
async function openSilent(port: number, count: number, text: string): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}));
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  if (text !== '') for (const socket of sockets) socket.write(text);
  return sockets;
}

describe('the status page', () => {
  test.each([
    ['connections that say nothing', ''],
    ['connections that stop in the middle of a request', 'GET / HTTP/1.1\r\nhost: x\r\n'],
    ['connections that keep alive after an answer', 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'],
  ])('answers at once beside 600 %s', async (_sentence, text) => {
    const port = await start();
    await openSilent(port, 600, text);
    const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(2_000) });
    expect(response.status).toBe(200);
  });

  test('lets go of a connection that never finishes its request', async () => {
    const [socket] = await openSilent(await start(), 1, 'GET / HTTP/1.1\r\nhost: x\r\n');
    socket?.resume();
    await once(socket ?? process, 'close');
    expect(socket?.destroyed).toBe(true);
  });

  test.each([
    ['a page that is asked for', '/api/status', 1],
    ['what listening pages are to be told', '/events', 2],
  ])('is closed only once nothing reads the store for it any more: %s', async (_sentence, path, reading) => {
    let [readings, isClosed] = [0, false];
    const errors: unknown[] = [];
    const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const takeSnapshot = async (): Promise<StatusSnapshot> => {
      readings += 1;
      if (readings === reading) {
        begun.resolve();
        await over.promise;
      }
      return snapshot;
    };
    const notesOf = (): [] => {
      if (isClosed) throw new Error('statement has been finalized');
      return [];
    };
    const ears = { ...logger, error: (said: unknown) => void errors.push(said) } as Logger;
    const server = await startServer(takeSnapshot, undefined, { records: { ...records, notesOf }, logger: ears });
    const answer = fetch(`http://127.0.0.1:${server.port}${path}`).then((response) => response.text());
    answer.catch(() => {});
    await begun.promise;
    const closing = server.close();
    setTimeout(over.resolve, 50);
    await closing;
    isClosed = true;
    await over.promise;
    await new Promise(setImmediate);
    expect([errors, readings]).toEqual([[], reading]);
  });

  test('says so when a page cannot be made, and shows nothing of why', async () => {
    const port = await start(() => Promise.reject(new Error('at postgres://u:hunter2@db')));
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect([response.status, await response.text()]).toEqual([500, '{"detail":"the page could not be made; the log says why"}']);
    // Whoever asks how the monitor is takes no answer for "not well".
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');
  });

  test.each([
    ['/', 200],
    ['/history', 200],
    ['/api/status', 200],
    ['/api/history', 200],
    ['/feed.atom', 200],
    ['/live.js', 200],
    ['/badge/status.svg', 200],
    ['/badge/status/nothing.svg', 404],
    ['/incidents', 200],
    ['/api/incidents', 200],
    ['/incidents/nothing', 404],
    ['/incidents/%zz', 404],
    ['/incidents/*', 404],
    ['/operator/incidents', 403],
    ['/operator/incidents/nothing', 403],
    ['/api/operator/incidents', 403],
    ['/api/operator/incidents/nothing', 403],
    ['/healthz', 200],
    ['/operator', 403],
    ['/operator/', 404],
    ['/api/operator/status', 403],
    ['/metrics', 403],
  ])('without a password shows %s to nobody but those it is for: %i', async (path, status) => {
    const port = await start();
    const forged = { cookie: 'atalaya_session=99999999999999.signature', authorization: 'Bearer ' };
    for (const headers of [{}, forged, { ...forged, authorization: `Signed ${Date.now()}.signature` }]) {
      expect((await fetch(`http://127.0.0.1:${port}${path}`, { headers })).status).toBe(status);
    }
  });
});

const post = (port: number, path: string, form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual' });

describe('an operator', () => {
  const password = 'correct horse battery';
  test('signs in by the form, and out again', async () => {
    const port = await start(undefined, password);
    const operatorPage = (cookie: string): Promise<Response> => fetch(`http://127.0.0.1:${port}/operator`, { headers: { cookie } });
    expect((await operatorPage('')).status).toBe(401);
    const entered = await post(port, '/operator/sign-in', { password });
    expect([entered.status, entered.headers.get('location')]).toEqual([303, '/operator?lang=en']);
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
    const page = await operatorPage(cookie);
    expect(page.status).toBe(200);
    const [, token = ''] = /name="token" value="([^"]+)"/.exec(await page.text()) ?? [];
    expect((await post(port, '/operator/sign-out', { token: 'guessed' }, { cookie })).status).toBe(401);
    const left = await post(port, '/operator/sign-out', { token }, { cookie });
    expect(left.headers.get('set-cookie')).toMatch(/^atalaya_session=; Path=\/; Max-Age=0;/);
  });

  test('is not signed in by a form on the page of somebody else', async () => {
    const port = await start(undefined, password);
    for (const site of ['cross-site', 'same-site']) {
      const answer = await post(port, '/operator/sign-in', { password }, { 'sec-fetch-site': site });
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null]);
    }
  });

  test('who guesses is told to wait', async () => {
    const port = await start(undefined, password);
    for (let guess = 0; guess < 5; guess += 1) expect((await post(port, '/operator/sign-in', { password: 'x' })).status).toBe(401);
    const answer = await post(port, '/operator/sign-in', { password });
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('set-cookie')]).toEqual([429, '60', null]);
  });
});

const readEvents = (response: Response): AsyncGenerator<string> =>
  eventsOf((response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()));
const listen = async (port: number, headers: Readonly<Record<string, string>> = {}): Promise<Response> => {
  const leaving = new AbortController();
  onTestFinished(() => leaving.abort());
  return fetch(`http://127.0.0.1:${port}/events`, { headers, signal: leaving.signal });
};

describe('a page that is open', () => {
  test('is told when something changes, hears in between that the monitor is there, and after a break only what it missed', async () => {
    let shown = snapshot;
    const port = await start(() => Promise.resolve(shown));
    const response = await listen(port);
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const events = readEvents(response);
    expect((await events.next()).value).toBe('retry: 3000');
    const first = changedId((await events.next()).value);
    shown = { ...snapshot, now: 20_000 };
    const second = changedId((await events.next()).value);
    expect([first.length, second.length]).toEqual([16, 16]);
    expect(second).not.toBe(first);
    expect((await events.next()).value).toBe(': still here');
    const [missed, informed] = await Promise.all([listen(port, { 'last-event-id': first }), listen(port, { 'last-event-id': second })]);
    const [atOnce, later] = [readEvents(missed), readEvents(informed)];
    await Promise.all([atOnce.next(), later.next()]);
    expect(changedId((await atOnce.next()).value)).toBe(second);
    expect((await later.next()).value).toBe(': still here');
  }, 40_000);

  test('comes again after a while, and is asked again who it is', async () => {
    const live = createLive({ version: () => Promise.resolve('v1'), logger, longestMs: 50 });
    const server = createServer(new Koa().use((ctx) => live.listen(ctx)).callback());
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(await response.text()).toBe('retry: 3000\n\nid: v1\nevent: changed\ndata: v1\n\n');
  });

  test('is one of at most 64, and makes room when it is closed', async () => {
    const port = await start();
    const open = await Promise.all(Array.from({ length: 64 }, () => listen(port)));
    const refused = await listen(port);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '60']);
    await open[0]?.body?.cancel();
    await expect.poll(async () => (await listen(port)).status, { timeout: 10_000 }).toBe(200);
  });
});

describe('a page for everybody', () => {
  test.each(['/', '/history', '/api/status', '/api/history', '/feed.atom'])('%s is sent again only when it is another', async (path) => {
    let [shown, taken] = [snapshot, 0];
    const port = await start(() => {
      taken += 1;
      return Promise.resolve(shown);
    });
    const get = (headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'cache-control': 'max-age=0', ...headers } });
    const etag = (await get()).headers.get('etag') ?? '';
    expect((await get({ 'if-none-match': etag })).status).toBe(304);
    expect((await get({ 'if-none-match': '"another"' })).status).toBe(200);
    // Many who ask in one second are shown one look at the store.
    expect(taken).toBe(1);
    const incident = { id: 'a', kind: 'down', probe: 'shop', startedAt: 1, detectedAt: 1, detail: '', reminders: 0 } as unknown as Incident;
    const target = { name: 'shop', status: 'down', incidents: [], health: { recent: [] } } as unknown as TargetSnapshot;
    shown = { ...snapshot, targets: [target], incidents: [incident] };
    await expect.poll(async () => (await get({ 'if-none-match': etag })).status, { timeout: 5_000 }).toBe(200);
  });

  test('is in the language that was asked for, and says that this decides', async () => {
    const port = await start();
    const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'accept-language': 'es-AR,en;q=0.5' } });
    expect(page.headers.get('vary')).toContain('Accept-Language');
    expect(await page.text()).toContain('<html lang="es">');
    expect(await (await fetch(`http://127.0.0.1:${port}/?lang=en`, { headers: { 'accept-language': 'es' } })).text()).toContain(
      '<html lang="en">',
    );
  });
});

const watched = (isLatencyPublic: boolean): StatusSnapshot => {
  const cadence = { intervalMs: 5_000, timeoutMs: 3_000, confirmIntervalMs: 2_000, failures: 3, successes: 2 };
  const target = { name: 'shop', status: 'up', isLatencyPublic, cadence, incidents: [], health: { recent: [] } };
  return { ...snapshot, targets: [target as unknown as TargetSnapshot] };
};
const shown = async (port: number, path: string): Promise<readonly [number, string]> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
};

describe('how long answers take', () => {
  test('is for operators alone, unless it was said of a target that everybody may see it', async () => {
    const [closed, open] = [await start(() => Promise.resolve(watched(false))), await start(() => Promise.resolve(watched(true)))];
    expect((await shown(closed, '/api/latency/shop'))[0]).toBe(404);
    expect((await shown(closed, '/api/latency/another'))[0]).toBe(404);
    for (const path of ['/', '/targets/shop', '/api/status', '/targets/shop?range=7d']) {
      const [status, text] = await shown(closed, path);
      expect([path, status, /4\.71|4711|4710/.test(text)]).toEqual([path, 200, false]);
    }
    expect((await shown(closed, '/operator/targets/shop'))[0]).toBe(403);
    expect((await shown(closed, '/api/operator/latency/shop'))[0]).toBe(403);
    expect(JSON.parse((await shown(open, '/api/latency/shop'))[1])).toMatchObject({ target: 'shop', range: '24h', longest: [4710] });
    expect((await shown(open, '/targets/shop?range=7d'))[1]).toContain('<dd>4.71 s</dd>');
  });

  test('is drawn by what the page itself serves, license and all, and by nothing else', async () => {
    const port = await start(() => Promise.resolve(watched(true)));
    const [, page] = await shown(port, '/targets/shop');
    const loaded = [...page.matchAll(/(?:src|rel="stylesheet" href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(loaded).toEqual(['/live.js', '/uplot.css', '/uplot.js', '/chart.js']);
    for (const path of loaded) expect((await shown(port, path))[0]).toBe(200);
    expect((await shown(port, '/uplot.js'))[1]).toContain('MIT');
    const { headers } = await fetch(`http://127.0.0.1:${port}/targets/shop`);
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
  });
});
