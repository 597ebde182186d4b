import { Client } from 'pg';
import { expect } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import { call, eventually } from '#test/support/api-process.ts';
import { makeCustomer, makeProduct, orderOf, test } from '../processes/running-api.ts';

test('a pool that is used up is busy, not down: health and readiness answer 200', async ({ start }) => {
  const api = await start({ API_WORKERS: '1', DB_POOL_SIZE: '2', DB_MAX_OVERFLOW: '0', RATE_LIMIT_ENABLED: 'false' });
  const productId = await makeProduct(api, 50);
  const customer = await makeCustomer(api);
  const holder = new Client(clientOptions(api.postgres, 'atalaya-test'));
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM products WHERE id_key = $1 FOR UPDATE', [productId]);
  const orders = Array.from({ length: 6 }, () =>
    call(`${api.url}/orders`, { headers: { ...customer.headers }, body: orderOf(customer, productId) }),
  );

  const busy = await eventually(
    () => call(`${api.url}/health_check`),
    ({ body }) => (body as { checks: { db_pool: { utilization_percent: number } } }).checks.db_pool.utilization_percent === 100,
  );
  expect(busy).toMatchObject({
    status: 200,
    body: { status: 'degraded', checks: { database: { status: 'up' }, db_pool: { status: 'busy', health: 'degraded', checked_out: 2 } } },
  });
  expect((await call(`${api.url}/readyz`)).status).toBe(200);

  await holder.query('COMMIT');
  await holder.end();
  expect((await Promise.all(orders)).map(({ status }) => status)).toEqual(Array(6).fill(201));
  await eventually(
    () => call(`${api.url}/health_check`),
    ({ body }) => body['status'] === 'healthy',
  );
});
