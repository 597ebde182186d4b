import { Client } from 'pg';
import { describe, expect } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import { adminToken, call, eventually } from '#test/support/api-process.ts';
import { makeCustomer, makeProduct, orderOf, test } from './running-api.ts';

const narrow = { API_WORKERS: '1', DB_POOL_SIZE: '1', DB_MAX_OVERFLOW: '1', RATE_LIMIT_ENABLED: 'false' };

describe('while more wait for a connection than will get one in time', () => {
  test('who comes is turned away at once, health is answered, and what was let in is done', async ({ start }) => {
    const api = await start(narrow);
    const productId = await makeProduct(api, 50);
    const customer = await makeCustomer(api);
    const holder = new Client(clientOptions(api.postgres, 'atalaya-test'));
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM products WHERE id_key = $1 FOR UPDATE', [productId]);
    const orders = Array.from({ length: 10 }, () =>
      call(`${api.url}/orders`, { headers: { ...customer.headers }, body: orderOf(customer, productId) }),
    );

    const read = () => call(`${api.url}/nowhere`);
    const refused = await eventually(read, ({ status }) => status === 503);
    expect(refused.body).toMatchObject({ code: 'overloaded', request_id: refused.headers.get('x-request-id') });
    expect(refused.headers.get('retry-after')).toBe('1');
    for (const path of ['/livez', '/readyz', '/health_check']) expect((await call(api.url + path)).status).toBe(200);
    const metrics = await call(`${api.adminUrl}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } });
    expect(String(metrics.body['text'])).toMatch(/^atalaya_shed_total\{reason="pool_queue"\} [1-9]/m);

    await holder.query('COMMIT');
    await holder.end();
    expect((await Promise.all(orders)).map(({ status }) => status)).toEqual(Array(10).fill(201));
    expect((await eventually(read, ({ status }) => status !== 503)).status).toBe(404);
  });
});

describe('a client that leaves while it waits for a connection', () => {
  test('has ordered nothing, its question is not asked, and the connection goes to the next', async ({ start }) => {
    const api = await start(narrow);
    const [held, free] = [await makeProduct(api, 50), await makeProduct(api, 50)];
    const customer = await makeCustomer(api);
    const holder = new Client(clientOptions(api.postgres, 'atalaya-test'));
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM products WHERE id_key = $1 FOR UPDATE', [held]);
    const ahead = [1, 2].map(() => call(`${api.url}/orders`, { headers: { ...customer.headers }, body: orderOf(customer, held) }));
    const waiting = async (): Promise<string> => {
      const { body } = await call(`${api.adminUrl}/metrics?name[]=atalaya_pool_waiting&name[]=atalaya_pool_connections`, {
        headers: { authorization: `Bearer ${adminToken}` },
      });
      return String(body['text']);
    };
    await expect.poll(waiting).toMatch(/state="in_use"\} 2$/m);
    const leaving = new AbortController();
    const headers = { ...customer.headers, 'content-type': 'application/json' };
    const body = JSON.stringify(orderOf(customer, free));
    const left = [
      fetch(`${api.url}/orders`, { method: 'POST', headers, body, signal: leaving.signal }),
      fetch(`${api.url}/addresses`, { headers, signal: leaving.signal }),
    ];
    await expect.poll(waiting).toMatch(/^atalaya_pool_waiting 2$/m);
    leaving.abort();
    for (const one of left) await expect(one).rejects.toThrow('aborted');
    // What is asked later is answered later: by then the API knows that the client has left.
    await call(`${api.url}/livez`);

    await holder.query('COMMIT');
    /** Connections of the API that asked it last. */
    const asked = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'atalaya-api' AND query LIKE '%FROM addresses%'`;
    expect((await Promise.all(ahead)).map(({ status }) => status)).toEqual([201, 201]);
    await expect.poll(waiting).toMatch(/^atalaya_pool_waiting 0$/m);
    expect((await holder.query(asked)).rowCount).toBe(0);
    await call(`${api.url}/addresses`, { headers });
    expect((await holder.query(asked)).rowCount).toBe(1);
    await holder.end();
    expect((await call(`${api.url}/products/${free}`)).body['stock']).toBe(50);
  });
});
