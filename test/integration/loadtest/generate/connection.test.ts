// Every way in which an answer may come, break or stay away; a list, so it is as long as it is.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import * as fc from 'fast-check';
import { request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openConnection, type Connection } from '#loadtest/generate/connection.ts';
import type { Step } from '#loadtest/generate/step.ts';
import { listen } from '#test/support/listen.ts';

const get: Step = { endpoint: 'GET /', method: 'GET', path: '/', headers: {} };
const ok = (body: string, fields = ''): string => `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

function connectTo(port: number, timeoutMs = 10_000): Connection {
  const connection = openConnection(`http://127.0.0.1:${port}`, timeoutMs);
  onTestFinished(() => connection.close());
  return connection;
}

/** Answers the n-th request on its m-th connection, both from 0, with bytes, or does with the connection what it will. */
type Script = (n: number, m: number, socket: Socket) => string | undefined;

/** A server of no more than bytes; `connections` are those it has accepted. */
async function serve(script: Script): Promise<{ port: number; connections: Socket[] }> {
  const connections: Socket[] = [];
  let requests = 0;
  const server = createServer((socket) => {
    const m = connections.push(socket) - 1;
    socket.on('error', () => {});
    socket.on('data', () => {
      const bytes = script((requests += 1) - 1, m, socket);
      if (bytes !== undefined) socket.write(bytes, 'latin1');
    });
  });
  return { port: await listen(server), connections };
}

describe('one connection', () => {
  test.for([
    { says: 'as long as nothing else is said', bytes: ok('x'), count: 1 },
    { says: 'after interim answers and one without a body', bytes: 'HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 204 None\r\n\r\n', count: 1 },
    { says: 'and a new one where the server says it closes', bytes: ok('x', 'Connection: close\r\n'), count: 3 },
    { says: 'and a new one where it keeps none that is idle', bytes: ok('x', 'Keep-Alive: timeout=0\r\n'), count: 3 },
    { says: 'and a new one for HTTP/1.0', bytes: ok('x').replace('1.1', '1.0'), count: 3 },
  ])('carries request after request $says', async ({ bytes, count }) => {
    const { port, connections } = await serve(() => bytes);
    const connection = connectTo(port);
    for (let n = 0; n < 3; n += 1) expect(await connection.send(get)).toMatchObject({ kind: 'answer' });
    expect(connections).toHaveLength(count);
  });

  test('that the server closes between two requests is no error: the next opens another', async () => {
    const { port, connections } = await serve(() => ok('x'));
    const connection = connectTo(port);
    await connection.send(get);
    const [first] = connections as [Socket];
    first.end();
    await once(first, 'close');
    expect(await connection.send(get)).toMatchObject({ kind: 'answer', body: 'x' });
    expect(connections).toHaveLength(2);
  });

  test('on which bytes come that nobody asked for is given up: they are no answer to what is asked next', async () => {
    const { port, connections } = await serve((_n, m) => ok(m === 0 ? 'first' : 'second'));
    const connection = connectTo(port);
    await connection.send(get);
    const [first] = connections as [Socket];
    first.write(ok('stale'));
    await once(first, 'close');
    expect(await connection.send(get)).toMatchObject({ kind: 'answer', body: 'second' });
  });
});

const broken = (status: number, received: string) => ({ kind: 'broken-answer', status, received });

describe('what becomes of a request', () => {
  const ends: readonly { readonly what: string; readonly script: Script; readonly says: RegExp; readonly told: object }[] = [
    { what: 'closed without a byte', script: (_n, _m, it) => void it.end(), says: /closed/, told: { kind: 'connection-error' } },
    { what: 'reset', script: (_n, _m, it) => void it.resetAndDestroy(), says: /^ECONNRESET: /, told: { kind: 'connection-error' } },
    { what: 'closed within the head', script: (_n, _m, it) => void it.end('HTTP/1.1 200 OK\r\nX'), says: /closed/, told: broken(0, '') },
    {
      what: 'closed within the body',
      script: (_n, _m, it) => void it.end(ok('pong').slice(0, -1)),
      says: /closed/,
      told: broken(200, 'pon'),
    },
    { what: 'not HTTP', script: () => 'SSH-2.0-x\r\n\r\n', says: /status line/, told: broken(0, '') },
    {
      what: 'longer than it says',
      script: () => `${ok('pong', 'X-Request-Id: r-1\r\n')}s`,
      says: /more bytes/,
      told: { ...broken(200, 'pong'), requestId: 'r-1' },
    },
  ];

  test.for(ends)('whose answer is $what is told, and the next is asked on another connection', async ({ script, says, told }) => {
    const { port, connections } = await serve((n, m, socket) => (n === 0 ? script(n, m, socket) : ok('x')));
    const connection = connectTo(port);
    expect(await connection.send(get)).toMatchObject({ ...told, detail: expect.stringMatching(says) as string });
    expect(await connection.send(get)).toMatchObject({ kind: 'answer', body: 'x' });
    expect(connections).toHaveLength(2);
  });

  test('that nobody accepts is a connection error, with what the system says', async () => {
    const { port } = await serve(() => ok('x'));
    const free = createServer();
    const closed = await listen(free);
    free.close();
    await once(free, 'close');
    expect(closed).not.toBe(port);
    expect(await connectTo(closed).send(get)).toMatchObject({
      kind: 'connection-error',
      detail: expect.stringMatching(/^ECONNREFUSED: /) as string,
    });
  });

  test('that cannot be one is not sent, and the reason names the field without its value', async () => {
    const { port, connections } = await serve(() => ok('x'));
    const connection = connectTo(port);
    const bad: Step[] = [
      { ...get, path: '/a b' },
      { ...get, path: '/a\r\nx: 1' },
      { ...get, headers: { authorization: 'hush\r\nx: 1' } },
      { ...get, headers: { 'x y': 'hush' } },
      { ...get, method: 'POST', headers: { 'content-length': '4711' }, body: 'hush' },
    ];
    for (const step of bad) {
      const told = await connection.send(step);
      expect(told).toMatchObject({
        kind: 'connection-error',
        detail: expect.stringMatching(/^not sent: the (path|header field)/) as string,
      });
      expect(JSON.stringify(told)).not.toMatch(/hush|4711/);
    }
    expect(connections).toHaveLength(0);
  });
});

describe('a deadline', () => {
  test.for([
    { what: 'nothing', bytes: undefined, told: { kind: 'timeout', detail: 'no complete answer in time' } },
    { what: 'a head alone', bytes: ok('pong').slice(0, -4), told: { kind: 'timeout' } },
    { what: 'a part of the body', bytes: ok('pong').slice(0, -1), told: { kind: 'broken-answer', received: 'pon', status: 200 } },
  ])('ends an exchange of which $what came, when it is due and not before, and the connection with it', async ({ bytes, told }) => {
    const { port, connections } = await serve((n, _m, socket) => {
      if (n !== 0) return n === 1 ? bytes : ok('x');
      setTimeout(() => socket.write(ok('x')), 60);
      return undefined;
    });
    const connection = connectTo(port, 150);
    // Its timer runs from the first request on, and has to wait for the second.
    await connection.send(get);
    const startedMs = performance.now();
    expect(await connection.send(get)).toMatchObject({ ...told, ms: 150 });
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(150);
    expect(await connection.send(get)).toMatchObject({ kind: 'answer', body: 'x' });
    expect(connections).toHaveLength(2);
  });

  test('holds after a pause longer than itself', async () => {
    const { port } = await serve((n) => (n === 0 ? ok('x') : undefined));
    const connection = connectTo(port, 50);
    await connection.send(get);
    await connectTo(port, 100).send(get);
    expect(await connection.send(get)).toMatchObject({ kind: 'timeout', ms: 50 });
  });

  test('holds for the opening of a connection too', async () => {
    const { port, connections } = await serve(() => undefined);
    const connection = openConnection(`https://127.0.0.1:${port}`, 100);
    onTestFinished(() => connection.close());
    expect(await connection.send(get)).toMatchObject({ kind: 'timeout', ms: 100 });
    expect(connections).toHaveLength(1);
  });
});

describe('Node’s own server', () => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

  test('gets a request as it was meant', async () => {
    const server = createHttpServer(async (incoming, response) => {
      const { method, url, headers } = incoming;
      response.end(JSON.stringify({ method, url, headers, body: await text(incoming) }));
    });
    const port = await listen(server);
    const connection = connectTo(port);
    const own = { host: `127.0.0.1:${port}`, connection: 'keep-alive' };
    const send = async (step: Partial<Step>): Promise<unknown> => {
      const told = await connection.send({ ...get, ...step });
      return told.kind === 'answer' ? JSON.parse(told.body) : told;
    };
    expect(await send({ path: '/a?b=%20', headers: { 'x-a': '\xe9 1' } })).toEqual({
      method: 'GET',
      url: '/a?b=%20',
      headers: { ...own, 'x-a': '\xe9 1' },
      body: '',
    });
    const sized = { ...own, 'content-length': '8', 'content-type': 'text/plain' };
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const)
      expect(await send({ method, body: 'é – x', headers: { 'content-type': 'text/plain' } })).toEqual({
        method,
        url: '/',
        headers: sized,
        body: 'é – x',
      });
    expect(await send({ method: 'POST' })).toMatchObject({ headers: { ...own, 'content-length': '0' } });
    expect(await send({ method: 'DELETE' })).toMatchObject({ headers: own });
    expect(await send({ headers: { host: 'shop.example' } })).toMatchObject({ headers: { ...own, host: 'shop.example' } });
    expect(await send({ headers: { Connection: 'close' } })).toMatchObject({ headers: { ...own, connection: 'close' } });
  });

  // undici reads with llhttp, written by others.
  test('is understood as undici understands it, whatever it answers', async () => {
    type Asked = {
      readonly status: number;
      readonly parts: readonly string[];
      readonly fields: Readonly<Record<string, string>>;
      readonly isSized: boolean;
    };
    let asked: Asked;
    const server = createHttpServer((_request, response) => {
      const { status, parts, fields, isSized } = asked;
      const length = isSized ? { 'content-length': Buffer.byteLength(parts.join('')) } : {};
      response.writeHead(status, { ...fields, ...length });
      for (const part of parts) response.write(part);
      if (!isSized) response.addTrailers({ 'x-sum': '1' });
      response.end();
    });
    const port = await listen(server);
    const connection = connectTo(port);
    const answers = fc.record({
      method: fc.constantFrom(...methods),
      status: fc.constantFrom(200, 201, 204, 206, 302, 304, 400, 404, 429, 500, 503),
      parts: fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { maxLength: 4 }),
      fields: fc.dictionary(
        fc.stringMatching(/^[xX]-[A-Za-z]{1,9}$/),
        fc.stringMatching(/^[\x21-\x7e](?:[\t\x20-\x7e]{0,40}[\x21-\x7e])?$/),
        {
          maxKeys: 5,
        },
      ),
      isSized: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(answers, async ({ method, ...answer }) => {
        // A 204 may not tell a length, and undici takes the one that a 304 may tell for that of its body.
        asked = [204, 304].includes(answer.status) ? { ...answer, isSized: false } : answer;
        const theirs = await request(`http://127.0.0.1:${port}/`, { method });
        const ours = await connection.send({ ...get, method });
        const changing = new Set(['date', 'connection', 'keep-alive']);
        const fields = Object.entries(theirs.headers).filter(([name]) => !changing.has(name));
        const headers = Object.fromEntries(fields.map(([name, value]) => [name, [value].flat().join(', ')]));
        expect(ours).toMatchObject({ kind: 'answer', status: theirs.statusCode, headers, body: await theirs.body.text() });
      }),
      { numRuns: 150 },
    );
  });

  test('is asked over TLS where the origin says so, and only if its certificate is trusted', async ({ skip }) => {
    const { key, cert } = selfSigned();
    skip(cert === '', 'openssl is not installed: apt-get install openssl');
    const port = await listen(createHttpsServer({ key, cert }, (_request, response) => void response.end('x'.repeat(200_000))));
    const distrustful = openConnection(`https://127.0.0.1:${port}`, 10_000);
    onTestFinished(() => distrustful.close());
    expect(await distrustful.send(get)).toMatchObject({ kind: 'connection-error', detail: expect.stringMatching(/SELF_SIGNED/) as string });
    const known = getCACertificates('default');
    setDefaultCACertificates([...known, cert]);
    onTestFinished(() => setDefaultCACertificates(known));
    const connection = openConnection(`https://127.0.0.1:${port}`, 10_000);
    onTestFinished(() => connection.close());
    for (let n = 0; n < 2; n += 1) expect(await connection.send(get)).toMatchObject({ kind: 'answer', body: 'x'.repeat(200_000) });
  });
});

/** Of 127.0.0.1; empty where openssl is missing. */
function selfSigned(): { key: string; cert: string } {
  const asked =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1 -keyout - -out -';
  const pem = spawnSync('openssl', asked.split(' '), { encoding: 'utf8' }).stdout ?? '';
  const [key = '', cert = ''] = ['PRIVATE KEY', 'CERTIFICATE'].map(
    (kind) => new RegExp(`-----BEGIN ${kind}-----[^]*-----END ${kind}-----`).exec(pem)?.[0],
  );
  return { key, cert };
}
