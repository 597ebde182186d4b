// oxlint-disable no-underscore-dangle -- autocannon's own names
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import autocannon, { type Client, type Options } from 'autocannon';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionInternals } from '#loadtest/generate/guarded-client.ts';

/** What the generator relies on in autocannon beyond its documentation. When one of these fails, read generate/ again. */
const server = createServer((_request, response) => response.end('ok'));
let url = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Runs one connection for a few requests and hands it over before it opens. */
async function withClient(setupClient: (client: Client) => void, more: Partial<Options> = {}): Promise<void> {
  await autocannon({ url, connections: 1, amount: 4, sampleInt: 50, setupClient, ...more });
}

test('is the version that was read', () => {
  const { version } = JSON.parse(readFileSync(createRequire(import.meta.url).resolve('autocannon/package.json'), 'utf8')) as {
    version: string;
  };
  expect(version).toBe('9.0.0');
});

describe('a connection', () => {
  test('has the methods and parts that are guarded, on its prototype so that an instance can replace them', async () => {
    let seen: ConnectionInternals | undefined;
    await withClient((client) => (seen ??= client as unknown as ConnectionInternals));
    expect(seen?._connect).toBeTypeOf('function');
    expect(seen?._doRequest).toBeTypeOf('function');
    expect(seen?._destroyConnection).toBeTypeOf('function');
    expect(seen?.parser.reinitialize).toBeTypeOf('function');
    expect(seen?.destroyed).toBe(true);
    expect(Object.keys(seen ?? {})).not.toContain('_connect');
  });

  test('is handed to setupClient before it opens, so that a replaced _connect is the one called', async () => {
    let connects = 0;
    await withClient((client) => {
      const internals = client as unknown as ConnectionInternals;
      const connect = internals._connect.bind(client);
      internals._connect = () => {
        connects += 1;
        connect();
      };
    });
    expect(connects).toBe(1);
  });

  test('asks for the next request by _doRequest after each answer, raises "request", then builds it', async () => {
    const log: string[] = [];
    await withClient((client) => {
      const internals = client as unknown as ConnectionInternals;
      const send = internals._doRequest.bind(client);
      internals._doRequest = () => {
        log.push('do');
        send();
      };
      (client as NodeJS.EventEmitter).on('request', () => log.push('request'));
      client.setRequests([
        {
          setupRequest: (request) => {
            log.push('build');
            return request;
          },
          onResponse: () => log.push('answer'),
        },
      ]);
    });
    // The first request is built when it is set; every later one after "request" and before it is written.
    expect(log.slice(0, 7)).toEqual(['build', 'do', 'request', 'answer', 'do', 'request', 'build']);
  });
});

test('has no pause between the requests of a connection', async () => {
  const startedMs = performance.now();
  const result = await autocannon({ url, connections: 1, connectionRate: 5, ignoreCoordinatedOmission: true, duration: 1, sampleInt: 50 });
  // A rate is a quota spent back to back: were it a pause, five requests would take most of the second.
  expect(result.requests.sent).toBeGreaterThanOrEqual(5);
  expect(performance.now() - startedMs).toBeGreaterThan(900);
});

test('refuses ignoreCoordinatedOmission without a rate, and corrects nothing then', async () => {
  await expect(autocannon({ url, connections: 1, amount: 1, ignoreCoordinatedOmission: true })).rejects.toThrow(/makes no sense/);
});
