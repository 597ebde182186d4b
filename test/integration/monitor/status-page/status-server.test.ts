import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import type { Control } from '#monitor/status-page/control-pages.ts';
import { startStatusServer } from '#monitor/status-page/status-server.ts';
import type { StatusSnapshot } from '#monitor/status-page/status-snapshot.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const signer = { sign: () => 'signature', isSigned: () => false };
const control: Control = {
  signer,
  obey: () => {
    throw new Error('nobody may ask');
  },
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

async function start(takeSnapshot: () => Promise<StatusSnapshot> = () => Promise.resolve(snapshot)): Promise<number> {
  const server = await startStatusServer({ host: '127.0.0.1', port: 0, takeSnapshot, control, logger });
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
});
