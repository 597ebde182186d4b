import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A service whose capacity is known: so many servers behind one queue, each busy for so long with every request. */
export type QueueSettings = {
  readonly servers: number;
  /** Exactly that long; capacity is `servers / serviceMs × 1,000` requests a second. */
  readonly serviceMs: number;
};

export type QueueServer = {
  readonly origin: string;
  /** How many requests it has received. */
  readonly received: () => Promise<number>;
  readonly stop: () => void;
};

/**
 * Starts one in a process of its own. It computes when each request is done from when the servers before it are, so that its
 * capacity does not suffer from late timers; only single answers do.
 */
export async function startQueueServer(settings: QueueSettings): Promise<QueueServer> {
  const child = fork(import.meta.filename, [JSON.stringify(settings)], { execArgv: [], stdio: 'inherit' });
  const [origin] = (await once(child, 'message')) as [string];
  return {
    origin,
    received: async () => Number(await (await fetch(`${origin}/received`)).text()),
    stop: () => child.kill(),
  };
}

function serve({ servers, serviceMs }: QueueSettings): void {
  const freeAtMs = Array.from({ length: servers }, () => 0);
  let received = 0;
  const server = createServer((request, response) => {
    if (request.url === '/received') return response.end(String(received));
    received += 1;
    const now = performance.now();
    const next = freeAtMs.indexOf(Math.min(...freeAtMs));
    const doneMs = Math.max(now, freeAtMs[next] ?? 0) + serviceMs;
    freeAtMs[next] = doneMs;
    return setTimeout(() => response.end('pong'), doneMs - now);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, () => {
    process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  process.on('disconnect', () => process.exit());
}

if (process.argv[1] === import.meta.filename) serve(JSON.parse(process.argv[2] ?? '') as QueueSettings);
