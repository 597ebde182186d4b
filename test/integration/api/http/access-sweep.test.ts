import { randomBytes } from 'node:crypto';
import { describe, expect } from 'vitest';
import { createApiKeys } from '#api/auth/api-keys.ts';
import { createPool } from '#api/db/pool.ts';
import type { Route } from '#api/http/route.ts';
import { createRoutes, type ApiServices } from '#api/shop/routes.ts';
import { call, type ApiProcess } from '#test/support/api-process.ts';
import { asLoadtest, makeCustomer, makeProduct, orderOf, test, type RunningApi } from '../processes/running-api.ts';

/** Nothing is opened by listing the routes. */
const routes = createRoutes({} as ApiServices);
const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const closed = routes.filter(({ access }) => access !== 'public');
const closedTo = (kind: 'customer' | 'loadtest'): Route[] => closed.filter(({ access }) => access !== 'public' && !access.includes(kind));

/** The status of each route by its name, when asked with these headers and, where it takes one, an empty body. */
async function statusesOf(api: ApiProcess, asked: readonly Route[], headers: Record<string, string>): Promise<Record<string, number>> {
  const answers = asked.map(async (route) => {
    const url = api.url + route.path.replace(':id', '1');
    const { status } = await call(url, { method: route.method, headers, ...(route.body ? { body: {} } : {}) });
    return [nameOf(route), status] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

const each = (asked: readonly Route[], status: number): Record<string, number> =>
  Object.fromEntries(asked.map((route) => [nameOf(route), status]));

/** A key that worked once. */
async function revokedKey({ postgres }: RunningApi): Promise<string> {
  const pool = createPool({ ...postgres, DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 5, DB_POOL_RECYCLE: 0 }, 'atalaya-test');
  try {
    const keys = createApiKeys(pool);
    const { id, key } = await keys.create('operator', 'left the company');
    expect(await keys.revoke(id)).toBe(true);
    return key;
  } finally {
    await pool.end();
  }
}

describe('access', { timeout: 60_000 }, () => {
  test('is open to all only for the catalogue, its reviews, registration, login and a new password by mail', () => {
    const open = routes.filter(({ access }) => access === 'public').map(nameOf);
    expect(open.toSorted()).toEqual([
      'GET /categories',
      'GET /categories/:id',
      'GET /products',
      'GET /products/:id',
      'GET /products/filter',
      'GET /reviews',
      'GET /reviews/:id',
      'POST /clients',
      'POST /clients/forgot-password',
      'POST /clients/login',
      'POST /clients/refresh',
      'POST /clients/reset-password',
    ]);
  });

  test('is refused on every other route without a credential, and with one that is unknown or revoked', async ({ api }) => {
    const credentials: Record<string, string>[] = [
      {},
      { 'x-api-key': `atk_${randomBytes(32).toString('base64url')}` },
      { 'x-api-key': await revokedKey(api) },
      { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.' },
    ];
    for (const headers of credentials) expect(await statusesOf(api, closed, headers)).toEqual(each(closed, 401));
  });

  test('is refused to customers and load tests on every route that is not for them', async ({ api }) => {
    const customer = await makeCustomer(api);
    expect(await statusesOf(api, closedTo('customer'), customer.headers)).toEqual(each(closedTo('customer'), 403));
    expect(await statusesOf(api, closedTo('loadtest'), asLoadtest)).toEqual(each(closedTo('loadtest'), 403));
  });

  test('to what is another customer’s is refused, and tells nothing of it', async ({ api }) => {
    const [owner, other] = [await makeCustomer(api), await makeCustomer(api)];
    const productId = await makeProduct(api, 5);
    const placed = await call(`${api.url}/orders`, { headers: owner.headers, body: orderOf(owner, productId) });
    expect(placed.status).toBe(201);
    const { headers } = other;
    const refused = [
      await call(`${api.url}/clients/${owner.id}`, { headers }),
      await call(`${api.url}/clients/${owner.id}`, { method: 'PUT', headers, body: { name: 'Mallory' } }),
      await call(`${api.url}/clients/${owner.id}`, { method: 'DELETE', headers }),
      await call(`${api.url}/orders/${String(placed.body['id_key'])}`, { headers }),
      await call(`${api.url}/orders?client_id=${owner.id}`, { headers }),
      await call(`${api.url}/orders`, { headers, body: orderOf(owner, productId) }),
    ];
    for (const { status, body } of refused) {
      expect([403, 404]).toContain(status);
      expect(JSON.stringify(body)).not.toContain('@example.com');
    }
    expect((await call(`${api.url}/orders`, { headers })).body).toEqual([]);
    expect((await call(`${api.url}/products/${productId}`)).body['stock']).toBe(4);
  });
});
