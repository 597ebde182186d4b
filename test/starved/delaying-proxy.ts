import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type DelayingProxy = { readonly origin: string; readonly close: () => void };

const leastMs = 100;
const mostMs = 200;

/** A way to an origin on which every piece of data takes 100–200 ms, at random, and none overtakes another. */
export async function startDelayingProxy(origin: string): Promise<DelayingProxy> {
  const { hostname, port } = new URL(origin);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      const later = inOrder();
      from.on('data', (chunk) => later(() => to.write(chunk)));
      from.on('end', () => later(() => to.end()));
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 });
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** Runs each piece of work after a delay of its own, but none before one that came earlier. */
function inOrder(): (work: () => void) => void {
  let freeMs = 0;
  const waiting: (() => void)[] = [];
  return (work) => {
    freeMs = Math.max(freeMs, performance.now() + leastMs + Math.random() * (mostMs - leastMs));
    waiting.push(work);
    // Timers that are due at the same millisecond fire in any order: each runs whatever has waited longest.
    setTimeout(() => waiting.shift()?.(), freeMs - performance.now());
  };
}
