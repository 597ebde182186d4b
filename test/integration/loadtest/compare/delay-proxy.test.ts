import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { startDelayProxy, type DelayProxy } from '#loadtest/compare/delay-proxy.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Answers after so long, with what it was sent; on `/cut` it tears the connection. */
async function echoThrough(delayMs: number, share: number): Promise<DelayProxy & { asked: Promise<unknown> }> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      if (incoming.url === '/cut') incoming.socket.destroy();
      else setTimeout(() => response.end(Buffer.concat(chunks)), delayMs);
    });
  });
  const asked = once(server, 'request');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  const proxy = await startDelayProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, share);
  closers.push(proxy.close);
  return { ...proxy, asked };
}

test('passes a megabyte on in both directions as it is, over and over on one connection', async () => {
  const { origin } = await echoThrough(0, 0.5);
  const sent = Buffer.alloc(2 ** 20, 'abcdefg');
  for (let time = 0; time < 3; time += 1) {
    const { statusCode, body } = await request(origin, { method: 'POST', body: sent });
    expect(statusCode).toBe(200);
    expect(Buffer.from(await body.arrayBuffer()).equals(sent)).toBe(true);
  }
});

test('holds every answer back by a share of the time it took', async () => {
  const { origin } = await echoThrough(100, 1);
  for (let time = 0; time < 3; time += 1) {
    const startedMs = performance.now();
    await (await request(origin)).body.dump();
    expect(performance.now() - startedMs).toBeGreaterThan(195);
  }
});

test('a service that tears the connection is seen to do so', async () => {
  const { origin } = await echoThrough(0, 0);
  await expect(request(`${origin}/cut`)).rejects.toThrow(/closed|socket|reset/i);
});

test('closing it ends the connections that are open', async () => {
  const { origin, close, asked } = await echoThrough(60_000, 0);
  const waiting = request(origin).then(
    () => 'answered',
    () => 'ended',
  );
  await asked;
  closers.pop();
  await close();
  expect(await waiting).toBe('ended');
});
