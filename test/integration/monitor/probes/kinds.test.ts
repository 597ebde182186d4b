import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ResolveHost } from '#monitor/probes/probe.ts';
import { createHostResolver } from '#monitor/probes/resolve-host.ts';
import { createDatabase } from '#test/support/database.ts';
import { freePort } from '#test/support/free-port.ts';
import { listen } from '#test/support/listen.ts';
import { hasRedis, startRedis } from '#test/support/redis.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { look } from './look.ts';

const missingRedis = hasRedis ? undefined : 'redis-server is not installed: apt-get install redis-server';
const missingOpenssl = spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is not installed: apt-get install openssl';

/** A name whose first address refuses: nothing listens on [::1] here. */
const twoAddresses: ResolveHost = createHostResolver(() =>
  Promise.resolve([
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ]),
);

/** A TLS server that answers every page, with a certificate of its own for shop.example. */
async function startSite(days: number): Promise<number> {
  const dir = await temporaryFolder();
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', `${days}`];
  const subject = ['-subj', '/CN=shop.example', '-addext', 'subjectAltName=DNS:shop.example', '-keyout', key, '-out', cert];
  spawnSync('openssl', [...request, ...subject]);
  const server = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (message, response) => {
    response.end(JSON.stringify({ host: message.headers.host }));
  });
  return listen(server);
}

describe('a look at Redis', () => {
  test('that answers is ok; one that hangs, or is gone, has failed', async ({ skip }) => {
    skip(missingRedis !== undefined, missingRedis);
    const redis = await startRedis();
    onTestFinished(redis.stop);
    const where = { REDIS_PORT: redis.port };
    expect(await look('redis', {}, where)).toEqual({ outcome: 'ok', detail: `Redis at 127.0.0.1:${redis.port} answers` });
    redis.freeze();
    expect(await look('redis', {}, where)).toMatchObject({ outcome: 'failed', detail: 'no answer within 3 s' });
    await redis.stop();
    expect(await look('redis', {}, where)).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('ECONNREFUSED') });
  });

  test('whose password the monitor does not know is the monitor’s own fault, and shows none', async ({ skip }) => {
    skip(missingRedis !== undefined, missingRedis);
    const redis = await startRedis();
    onTestFinished(redis.stop);
    const setting = connect(redis.port, '127.0.0.1');
    setting.write('CONFIG SET requirepass right-one\r\n');
    await once(setting, 'data');
    setting.destroy();
    const withPassword = (password: string | undefined) => look('redis', {}, { REDIS_PORT: redis.port, REDIS_PASSWORD: password });
    expect(await withPassword('right-one')).toMatchObject({ outcome: 'ok' });
    expect(await withPassword('wrong-one')).toEqual({
      outcome: 'faulty',
      detail: expect.stringMatching(/credentials \(WRONGPASS\); check REDIS_PASSWORD$/),
    });
    expect(await withPassword(undefined)).toMatchObject({ outcome: 'faulty', detail: expect.stringContaining('NOAUTH') });
  });

  test.each([
    ['closes the connection', (socket: Socket) => void socket.destroy(), /does not answer/],
    ['is something else', (socket: Socket) => void socket.end('220 mail.example ESMTP\r\n'), /does not answer PONG/],
    ['talks without end', (socket: Socket) => void socket.write(Buffer.alloc(1_000_000, 65)), /longer than 64 KiB/],
  ])('that %s has failed', async (_sentence, behave, detail) => {
    const REDIS_PORT = await listen(createServer((socket) => behave(socket.on('error', () => {}))));
    expect(await look('redis', {}, { REDIS_PORT })).toEqual({ outcome: 'failed', detail: expect.stringMatching(detail) });
  });
});

describe('a look at a certificate', () => {
  test('tells the days it has left, its name, and whether anybody vouches for it', async ({ skip }) => {
    skip(missingOpenssl !== undefined, missingOpenssl);
    const address = `127.0.0.1:${await startSite(40)}`;
    const own = { address, serverName: 'shop.example www.shop.example', tlsMode: 'self-signed' };
    expect(await look('certificate', own)).toEqual({
      outcome: 'ok',
      detail: expect.stringMatching(/^the certificate ends in (39|40) d, on /),
    });
    expect(await look('certificate', { ...own, warnBelow: '60d' })).toMatchObject({ outcome: 'degraded' });
    expect(await look('certificate', { ...own, failBelow: '50d', warnBelow: '60d' })).toMatchObject({ outcome: 'failed' });
    expect(await look('certificate', { ...own, serverName: 'other.example' })).toEqual({
      outcome: 'failed',
      detail: expect.stringContaining('altnames'),
    });
    expect(await look('certificate', { ...own, tlsMode: 'acme' })).toEqual({
      outcome: 'failed',
      detail: expect.stringContaining('it is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)'),
    });
  });

  test('of what speaks no TLS, hangs or is gone has failed', async () => {
    const plain = await listen(createServer((socket) => void socket.on('error', () => {}).end('220 mail.example ESMTP\r\n')));
    const mute = await listen(createServer(() => {}));
    for (const port of [plain, mute, await freePort()]) {
      expect(await look('certificate', { address: `127.0.0.1:${port}` })).toMatchObject({ outcome: 'failed' });
    }
  });
});

describe('a look at a site over TLS', () => {
  test('asks for the name it is given, wherever the address leads', async ({ skip }) => {
    skip(missingOpenssl !== undefined, missingOpenssl);
    const url = `https://127.0.0.1:${await startSite(40)}/health_check`;
    const site = { url, serverName: 'shop.example', conditions: ['[BODY].host == shop.example'] };
    expect(await look('http', { ...site, tlsMode: 'self-signed' })).toMatchObject({ outcome: 'ok' });
    expect(await look('http', site)).toEqual({ outcome: 'failed', detail: expect.stringContaining('self-signed certificate') });
  });

  test('is held to the days its certificate has left', async ({ skip }) => {
    skip(missingOpenssl !== undefined, missingOpenssl);
    const site = { url: `https://127.0.0.1:${await startSite(40)}/`, tlsMode: 'self-signed', degradedUnless: ['[CERTIFICATE_DAYS] > 60'] };
    expect(await look('http', { ...site, conditions: ['[CERTIFICATE_DAYS] > 30'] })).toEqual({
      outcome: 'degraded',
      detail: expect.stringMatching(/^HTTP 200; \[CERTIFICATE_DAYS\] > 60: it is (39|40)/),
    });
  });
});

describe('a look at a disk', () => {
  test('tells what is free; a path that is not there is the monitor’s own fault', async () => {
    expect(await look('disk', { path: await temporaryFolder(), warnBelow: '1MiB', failBelow: '1KiB' })).toEqual({
      outcome: 'ok',
      detail: expect.stringMatching(/ has [\d.]+ [KMGT]iB free, [\d.]+ %$/),
    });
    expect(await look('disk', { path: '/nowhere' })).toMatchObject({ outcome: 'faulty', detail: expect.stringContaining('ENOENT') });
  });
});

describe('a name with two addresses, of which the first refuses', () => {
  const named = { POSTGRES_HOST: 'shop.test', REDIS_HOST: 'shop.test' };

  test('is up over HTTP, as it is for every client', async () => {
    const port = await listen(createHttpServer((_, response) => void response.end('{}')));
    expect(await look('http', { url: `http://shop.test:${port}/` }, {}, twoAddresses)).toMatchObject({ outcome: 'ok' });
  });

  test('is up as PostgreSQL', async () => {
    const database = await createDatabase();
    onTestFinished(database.drop);
    expect(await look('postgres', {}, { ...database.settings, ...named }, twoAddresses)).toMatchObject({ outcome: 'ok' });
  });

  test('is up as Redis', async ({ skip }) => {
    skip(missingRedis !== undefined, missingRedis);
    const redis = await startRedis();
    onTestFinished(redis.stop);
    expect(await look('redis', {}, { ...named, REDIS_PORT: redis.port }, twoAddresses)).toMatchObject({ outcome: 'ok' });
  });

  test('shows its certificate', async ({ skip }) => {
    skip(missingOpenssl !== undefined, missingOpenssl);
    const fields = { address: `shop.test:${await startSite(40)}`, serverName: 'shop.example', tlsMode: 'self-signed' };
    expect(await look('certificate', fields, {}, twoAddresses)).toMatchObject({ outcome: 'ok' });
  });
});
