import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenOnFreePort } from '#lib/listen.ts';

/** Makes a service slower by a known share. */
export type DelayProxy = { readonly origin: string; readonly close: () => Promise<void> };

/**
 * Passes everything on, and holds each answer back by a share of the time it took: with 0.1 whoever asks sees every latency of
 * the service 10 % longer. For one request at a time on each connection.
 * @param origin of the service, http on this machine
 */
export async function startDelayProxy(origin: string, share: number): Promise<DelayProxy> {
  const { hostname, port } = new URL(origin);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const service = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), noDelay: true });
    for (const socket of [client, service]) sockets.add(socket.once('close', () => sockets.delete(socket)));
    join(client, service, share);
  });
  return {
    origin: await listenOnFreePort(server),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function join(client: Socket, service: Socket, share: number): void {
  let askedMs: number | undefined;
  let dueMs = 0;
  let passing = Promise.resolve();
  const inTurn = (pass: () => void): void => {
    const atMs = dueMs;
    passing = passing.then(() => until(atMs)).then(pass);
  };
  client.on('data', (chunk) => {
    askedMs ??= performance.now();
    service.write(chunk);
  });
  service.on('data', (chunk: Buffer) => {
    const nowMs = performance.now();
    if (askedMs !== undefined) dueMs = nowMs + share * (nowMs - askedMs);
    askedMs = undefined;
    inTurn(() => client.write(chunk));
  });
  client.on('end', () => service.end());
  service.on('end', () => inTurn(() => client.end()));
  client.on('error', () => service.destroy()).on('close', () => service.destroy());
  service.on('error', () => client.destroy());
}

/**
 * Timers know whole milliseconds only. What is over is a whole one by chance, so that the mean is right; waiting it out in turns
 * would take the CPU that is measured.
 */
async function until(dueMs: number): Promise<void> {
  const wholeMs = Math.floor(dueMs - performance.now() + Math.random());
  if (wholeMs > 0) await sleep(wholeMs);
}
