import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect } from 'vitest';
import { createRecorder, type Recording } from '#bench/routes/record-routes.ts';
import { replay, requestHeader } from '#bench/routes/replay.ts';
import { runRoutes } from '#bench/routes/run-routes.ts';
import { cleanEnvironment, compiledOnce } from '#test/support/clean-environment.ts';
import { test as base } from '#test/support/migrated-database.ts';
import { addClient, addProduct, brokenInvariants, openShop, stockOf } from '../../api/shop/shop.ts';

type Ask = (method: string, number: number, key?: string) => Promise<{ readonly status: number; readonly text: string }>;

/** With `recorder`: it hears the API. With `askFloor`: a server that repeats what was recorded. */
const test = base.extend<{ recorder: ReturnType<typeof createRecorder>; recordings: Recording[]; askFloor: Ask }>({
  recorder: async ({ db }, use) => {
    const recorder = createRecorder(db.settings);
    await use(recorder);
    await recorder.close();
  },
  recordings: async ({}, use) => use([]),
  askFloor: async ({ db, recordings }, use) => {
    const server = createServer((request, response) => {
      replay(db.pool, recordings, request).then(
        ([status, body]) => response.writeHead(status).end(body),
        (err: unknown) => response.writeHead(500).end(String(err)),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await use(async (method, number, key) => {
      const headers = { [requestHeader]: `${number}`, ...(key !== undefined && { 'idempotency-key': key }) };
      const answer = await fetch(url, { method, headers, ...(method !== 'GET' && { body: '{}' }) });
      return { status: answer.status, text: await answer.text() };
    });
    server.close();
  },
});

describe('the bench of the routes', () => {
  test('repeats an order for each key, with its stock and its ledger', async ({ db, recorder, recordings, askFloor }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const lines = [
      { product_id: await addProduct(shop, { stock: 50 }), quantity: 2 },
      { product_id: await addProduct(shop, { stock: 50 }), quantity: 3 },
    ];
    const body = { client_id: clientId, delivery_method: 1, lines };
    recordings.push(await recorder.record({ method: 'POST', path: '/orders', body }, clientId));
    for (const key of ['one', 'two']) expect((await askFloor('POST', 0, key)).status).toBe(201);
    const { rows } = await db.pool.query<{ orders: number; keys: number }>(
      'SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM idempotency_keys WHERE status = 201) AS keys',
    );
    // Two were placed by the API as it was heard.
    expect(rows).toEqual([{ orders: 4, keys: 4 }]);
    expect(await stockOf(shop, lines[0]!.product_id)).toBe(50 - 4 * 2);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('repeats a read with the bytes that the API answers', async ({ db, recorder, recordings, askFloor }) => {
    const shop = openShop(db);
    const id = await addProduct(shop, { stock: 7, name: 'Lámpara "Faro"' });
    recordings.push(await recorder.record({ method: 'GET', path: `/products/${id}` }, 1));
    expect(recordings[0]?.script.map(({ name }) => name)).toEqual(['products-by-id']);
    const { text } = await askFloor('GET', 0);
    expect(text).toContain('"stock":7');
    expect(text).toBe(recordings[0]?.body);
  });

  base(
    'plays a read and a write of a stack of its own beside what it heard, with no error',
    // On a machine that is held up for seconds, what the requests cost is not known.
    { timeout: 180_000, retry: 2 },
    async () => {
      const only = ['GET /addresses/:id', 'POST /orders'];
      const options = {
        only,
        rounds: 1,
        seconds: 2,
        firstWarmUpMs: 1_000,
        connections: 4,
        env: { ...cleanEnvironment(), ...compiledOnce },
        onProgress: () => {},
      };
      const results = await runRoutes({ ...options, signal: AbortSignal.timeout(150_000) });
      expect(results.map(({ route }) => route)).toEqual(only);
      for (const { statements, comparison } of results) {
        expect(statements).toBeGreaterThan(0);
        expect([comparison.api?.errors, comparison.floor?.errors]).toEqual([0, 0]);
        expect(comparison.api?.cpuRatio?.median).toBeGreaterThan(0);
      }
    },
  );
});
