import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { call } from '#test/support/api-process.ts';
import { asOperator, makeCustomer, makeProduct, orderOf, test } from '../processes/running-api.ts';

const unlimited = { RATE_LIMIT_ENABLED: 'false' };

describe('what the original let happen', { timeout: 60_000 }, () => {
  test('nobody chooses the id of what is made, nor what only the shop decides', async ({ api }) => {
    const person = { name: 'Ada', lastname: 'L', email: 'ada@example.com', password: 'analytical engine' };
    for (const [path, body, member] of [
      ['/categories', { name: 'Lamps' }, { id_key: 7 }],
      ['/products', { name: 'Lamp', price: 1 }, { id_key: 7 }],
      ['/clients', person, { id_key: 7 }],
      ['/clients', person, { is_admin: true }],
      ['/clients', person, { password_hash: 'x' }],
    ] as const) {
      const [name = ''] = Object.keys(member);
      const refused = await call(`${api.url}${path}`, { headers: asOperator, body: { ...body, ...member } });
      expect([path, refused.status, refused.body['errors']]).toEqual([path, 422, [{ pointer: `/${name}`, message: 'is not known here' }]]);
    }
  });

  test('the public sees no orders beside a product, and nothing of the inside', async ({ api }) => {
    const [customer, product] = [await makeCustomer(api), await makeProduct(api, 5)];
    expect((await call(`${api.url}/orders`, { headers: customer.headers, body: orderOf(customer, product) })).status).toBe(201);
    for (const path of [`/products/${product}`, '/products', '/products/filter', '/categories']) {
      const { status, body } = await call(`${api.url}${path}`);
      expect([path, status]).toEqual([path, 200]);
      expect(JSON.stringify(body)).not.toMatch(/order|client|email|password/);
    }
    for (const path of ['/debug/tables', '/debug', '/metrics', '/config']) expect((await call(`${api.url}${path}`)).status).toBe(404);
  });

  test('whoever goes on asking while the limit is used up is let in again when it is not, and health is never limited', async ({
    start,
  }) => {
    const api = await start({ RATE_LIMIT_CALLS: '2', RATE_LIMIT_PERIOD: '2' });
    const seen: number[] = [];
    for (const endsAt = performance.now() + 8_000; performance.now() < endsAt; await sleep(50)) {
      seen.push((await call(`${api.url}/categories`)).status);
      expect((await call(`${api.url}/health_check/`)).status).toBe(200);
    }
    const [blocked, again] = [seen.indexOf(429), seen.lastIndexOf(200)];
    expect([blocked > 0, again > blocked, seen.filter((status) => status === 200).length >= 4]).toEqual([true, true, true]);
  });

  test('what it writes to its output is its log and nothing else', async ({ start }) => {
    const api = await start(unlimited);
    await call(`${api.url}/products/filter?search=lamp&min_price=0`);
    expect(await api.stop()).toBe(0);
    const lines = api.stdout().trim().split('\n');
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), msg: expect.any(String) });
    expect(api.stderr()).toBe('');
  });
});
