import { connect, type Socket } from 'node:net';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import type { Signer } from '#monitor/quiet/signature.ts';
import { createAccess } from '#monitor/status-page/access.ts';
import type { Control } from '#monitor/status-page/control-pages.ts';
import { startStatusServer } from '#monitor/status-page/status-server.ts';
import type { IncidentRecords } from '#monitor/store/store.ts';
import type { StatusSnapshot } from '#monitor/status-page/status-snapshot.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const signer: Signer = {
  sign: (purpose, text) => createHash('sha256').update(`${purpose}${text}`).digest('base64url'),
  isSigned: (purpose, text, signature) => signer.sign(purpose, text) === signature,
};
const control: Control = {
  signer,
  takeNonce: () => false,
  obey: () => {
    throw new Error('nobody may ask');
  },
  hear: () => false,
};
const records: IncidentRecords = {
  incident: () => undefined,
  incidentPage: () => [],
  storyOf: () => ({ messages: [], timeline: [], explained: [] }),
  notesOf: () => [],
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

async function start(takeSnapshot: () => Promise<StatusSnapshot> = () => Promise.resolve(snapshot), password?: string): Promise<number> {
  const access = createAccess({ password: () => password, signer, isSecure: false });
  const server = await startStatusServer({ host: '127.0.0.1', port: 0, takeSnapshot, control, access, records, logger });
  onTestFinished(server.close);
  return server.port;
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
    expect([entered.status, entered.headers.get('location')]).toEqual([303, '/operator']);
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
