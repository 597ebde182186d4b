import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { InFlight } from '#api/http/shed-load.ts';
import { drainServer } from '#api/processes/http-server.ts';
import { listen } from '#test/support/listen.ts';

async function startServer(): Promise<{ server: Server; port: number }> {
  const server = createServer((_req, res) => res.writeHead(503, { connection: 'close' }).end());
  return { server, port: await listen(server) };
}

/** The status of a request over a connection of its own, or the code of what broke it. */
async function ask(port: number): Promise<number | string> {
  const req = request({ port, host: '127.0.0.1', agent: false }).end();
  try {
    const [res] = (await once(req, 'response')) as [{ statusCode: number; resume: () => void }];
    res.resume();
    return res.statusCode;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code ?? 'broken';
  }
}

const limits = { deadlineMs: 10_000, lingerMs: 10, maxLingerMs: 5_000, quietMs: 500 };

describe('draining', () => {
  test('keeps the listener open until nobody new comes, so that a load balancer which notices late loses nothing', async () => {
    const { server, port } = await startServer();
    let hasEnded = false;
    const drained = drainServer(server, new InFlight(), limits).finally(() => (hasEnded = true));
    const answers: (number | string)[] = [];
    for (let index = 0; index < 20; index += 1) {
      answers.push(await ask(port));
      await sleep(20);
    }
    expect(answers).toEqual(Array(20).fill(503));
    expect(hasEnded).toBe(false);
    expect(await drained).toBe(true);
    expect(await ask(port)).toBe('ECONNREFUSED');
  });

  test('waits for those that go on connecting no longer than it may', async () => {
    const { server, port } = await startServer();
    const isOver = drainServer(server, new InFlight(), { ...limits, maxLingerMs: 200 }).then(() => true);
    let answer: number | string = 0;
    while (!(await Promise.race([isOver, sleep(10, false)]))) answer = await ask(port);
    expect([503, 'ECONNREFUSED', 'ECONNRESET']).toContain(answer);
  });

  test('waits for what was accepted, and says whether it had to be cut off', async () => {
    const { server } = await startServer();
    const inFlight = new InFlight();
    inFlight.enter();
    const drained = drainServer(server, inFlight, limits);
    await sleep(150);
    inFlight.leave();
    expect(await drained).toBe(true);
    const { server: another } = await startServer();
    const stuck = new InFlight();
    stuck.enter();
    expect(await drainServer(another, stuck, { ...limits, deadlineMs: 50 })).toBe(false);
  });
});
