import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock, type ProbeResult } from '#monitor/model/look.ts';
import { parseCondition } from '#monitor/probes/condition.ts';
import { httpProbe } from '#monitor/probes/http.ts';
import { postgresProbe } from '#monitor/probes/postgres.ts';
import { createHostResolver } from '#monitor/probes/resolve-host.ts';
import { runProbe } from '#monitor/health/run-probe.ts';
import { createDatabase } from '#test/support/database.ts';
import { freePort } from '#test/support/free-port.ts';
import { listen } from '#test/support/listen.ts';

const timeoutMs = 700;
const resolveHost = createHostResolver();
const limits = { connections: 1, longestTransaction: Infinity, replicationLag: Infinity, standbys: 0, slowStatement: Infinity };

async function lookAtHttp(answer: RequestListener, host = '127.0.0.1'): Promise<ProbeResult> {
  const port = await listen(createHttpServer(answer));
  const conditions = [parseCondition('[STATUS] == 200'), parseCondition('[BODY].status != critical')];
  const target = {
    url: new URL(`http://${host}:${port}/health_check`),
    conditions,
    degradedUnless: [parseCondition('[BODY].status == healthy')],
  };
  return runProbe(httpProbe(target, resolveHost), { timeoutMs, slowMs: timeoutMs }, systemClock);
}

const lookAtPostgres = (port: number): Promise<ProbeResult> => {
  const settings = { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: port, POSTGRES_DB: 'x', POSTGRES_USER: 'x', POSTGRES_PASSWORD: 'x' };
  return runProbe(postgresProbe(settings, resolveHost, limits), { timeoutMs, slowMs: timeoutMs }, systemClock);
};

const well: RequestListener = (_, response) => void response.end('{}');

/** Servers at 127.0.0.1 and 127.0.0.2, on one port. */
async function lookAtBoth(first: RequestListener, second: RequestListener): Promise<ProbeResult> {
  const port = await listen(createHttpServer(first));
  const other = createHttpServer(second).listen(port, '127.0.0.2');
  onTestFinished(() => other.close().closeAllConnections());
  await once(other, 'listening');
  const both = createHostResolver(() => Promise.resolve(['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))));
  const conditions = [parseCondition('[STATUS] == 200')];
  const target = { url: new URL(`http://shop.test:${port}/`), conditions, degradedUnless: [], everyAddress: true, addressTimeoutMs: 400 };
  return runProbe(httpProbe(target, both), { timeoutMs, slowMs: timeoutMs }, systemClock);
}

describe('a look at each address of a name', () => {
  test('is ok when all answer', async () => {
    expect(await lookAtBoth(well, well)).toMatchObject({ outcome: 'ok', detail: 'all 2 addresses answer' });
  });

  test.each([
    ['refuses', (_, response) => void response.writeHead(500).end(), 'HTTP 500'],
    ['hangs', () => {}, 'does not answer'],
  ] satisfies [string, RequestListener, string][])('is degraded while one of two %s, and names it', async (_sentence, unwell, detail) => {
    const result = await lookAtBoth(well, unwell);
    expect(result).toMatchObject({ outcome: 'degraded', detail: expect.stringContaining('1 of 2 addresses: 127.0.0.2: ') });
    expect(result.detail).toContain(detail);
    expect(await lookAtBoth(unwell, unwell)).toMatchObject({ outcome: 'failed' });
  });
});

describe('a look at an HTTP server', () => {
  test('that answers well is ok, also by its name', async () => {
    expect(await lookAtHttp((_, response) => void response.end('{"status":"healthy"}'), 'localhost')).toMatchObject({
      outcome: 'ok',
      detail: 'HTTP 200',
    });
  });

  test.each([
    ['never answers', () => {}, 'no answer within 0.7 s'],
    ['stops in the middle of its answer', (_, response) => void response.write('{"sta'), 'no answer within 0.7 s'],
    ['cuts the connection', (request) => void request.socket.resetAndDestroy(), 'does not answer: '],
    ['redirects', (_, response) => void response.writeHead(302, { location: '/' }).end('{}'), 'HTTP 302'],
    ['answers with some other page', (_, response) => void response.end('<h1>hello</h1>'), 'HTTP 200; [BODY].status'],
    ['answers without end', (_, response) => void response.end('x'.repeat(5_000_000)), 'HTTP 200; [BODY].status'],
  ] satisfies [string, RequestListener, string][])('that %s has failed', async (_sentence, answer, detail) => {
    const result = await lookAtHttp(answer);
    expect(result).toMatchObject({ outcome: 'failed', detail: expect.stringContaining(detail) });
    expect(result.latencyMs).toBeLessThan(5_000);
  });

  test('that answers without end is read only as far as an answer may go', async () => {
    let sentBytes = 0;
    const result = await lookAtHttp((_, response) => {
      const more = (): void => {
        sentBytes += 65_536;
        if (response.write(Buffer.alloc(65_536, 120))) setImmediate(more);
      };
      response.on('drain', more);
      more();
    });
    expect(result).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('HTTP 200; [BODY].status') });
    // What was on its way when the probe hung up, socket buffers of both sides included.
    expect(sentBytes).toBeLessThan(20_000_000);
  });

  test('that is not there has failed', async () => {
    const target = { url: new URL(`http://127.0.0.1:${await freePort()}/`), conditions: [], degradedUnless: [] };
    const result = await runProbe(httpProbe(target, resolveHost), { timeoutMs, slowMs: timeoutMs }, systemClock);
    expect(result).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('ECONNREFUSED') });
  });
});

describe('a look at PostgreSQL', () => {
  test('that answers is ok', async () => {
    const database = await createDatabase();
    onTestFinished(database.drop);
    const result = await runProbe(postgresProbe(database.settings, resolveHost, limits), { timeoutMs: 5_000, slowMs: 5_000 }, systemClock);
    expect(result).toMatchObject({ outcome: 'ok', detail: `PostgreSQL at 127.0.0.1:${database.settings.POSTGRES_PORT} answers` });
  });

  test.each([
    ['takes the connection and says nothing', () => {}, 'no answer within 0.7 s'],
    ['cuts the connection', (socket) => void socket.destroy(), 'does not answer: '],
    ['is something else', (socket) => void socket.end('220 mail.example ESMTP\r\n'), 'does not answer: '],
  ] satisfies [string, (socket: Socket) => void, string][])('that %s has failed', async (_sentence, behave, detail) => {
    const port = await listen(createServer(behave));
    expect(await lookAtPostgres(port)).toMatchObject({ outcome: 'failed', detail: expect.stringContaining(detail) });
  });

  test('that talks without end has failed, before it fills the memory', async () => {
    const port = await listen(
      createServer((socket) => {
        // A message that says it is 1 GB long.
        socket.write(Buffer.from([0x52, 0x40, 0, 0, 0]));
        const more = (): void => void (socket.writable && socket.write(Buffer.alloc(65_536)) && setImmediate(more));
        socket.on('drain', more).on('error', () => {});
        more();
      }),
    );
    expect(await lookAtPostgres(port)).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('longer than 64 KiB') });
  });

  test('whose database is gone has failed', async () => {
    const database = await createDatabase();
    await database.drop();
    const result = await runProbe(postgresProbe(database.settings, resolveHost, limits), { timeoutMs: 5_000, slowMs: 5_000 }, systemClock);
    expect(result).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('3D000') });
  });
});
