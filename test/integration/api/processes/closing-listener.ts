import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '#lib/listen.ts';

/**
 * Two processes listen on one address, each on a socket of its own, as workers do; again and again one of them closes its
 * socket while clients go on connecting. Prints how many requests were answered and how many were lost.
 */
const address = { host: '127.0.0.1', port: 8_999, hostVariable: 'HOST', portVariable: 'PORT' };
const rounds = 5;
const clients = 40;

async function serve(): Promise<void> {
  const server = createServer((_req, res) => res.writeHead(200, { connection: 'close' }).end());
  await listen(server, address, { isShared: true });
  process.send?.('listening');
  await once(process, 'message');
  // A busy moment before it closes: connections gather meanwhile.
  for (const endsAt = performance.now() + 30; performance.now() < endsAt;);
  server.close(() => process.send?.('closed'));
}

async function isAnswered(): Promise<boolean> {
  const req = request({ ...address, method: 'POST', agent: false }).end();
  const response = await once(req, 'response').catch(() => undefined);
  (response?.[0] as { resume?: () => void } | undefined)?.resume?.();
  return response !== undefined;
}

async function startServer(): Promise<ChildProcess> {
  const child = fork(import.meta.filename, ['serve']);
  await once(child, 'message');
  return child;
}

async function count(): Promise<{ answered: number; lost: number }> {
  const counts = { answered: 0, lost: 0 };
  let servers = [await startServer(), await startServer()] as [ChildProcess, ChildProcess];
  const stop = new AbortController();
  const asking = Array.from({ length: clients }, async () => {
    while (!stop.signal.aborted) counts[(await isAnswered()) ? 'answered' : 'lost'] += 1;
  });
  for (let round = 0; round < rounds; round += 1) {
    await sleep(150);
    const [closing, staying] = servers;
    const closed = once(closing, 'message');
    closing.send('close');
    await closed;
    closing.kill();
    servers = [staying, await startServer()];
  }
  stop.abort();
  await Promise.all(asking);
  for (const server of servers) server.kill();
  return counts;
}

if (process.argv[2] === 'serve') await serve();
else process.stdout.write(JSON.stringify(await count()));
