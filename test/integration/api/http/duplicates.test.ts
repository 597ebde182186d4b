import { Client } from 'pg';
import { expect } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import { call } from '#test/support/api-process.ts';
import { makeCustomer, makeProduct, orderOf, test } from '../processes/running-api.ts';

test('20 duplicates of one slow order hold one connection, and all get its answer', async ({ start }) => {
  const api = await start({ API_WORKERS: '1', RATE_LIMIT_ENABLED: 'false' });
  const productId = await makeProduct(api, 50);
  const customer = await makeCustomer(api);
  // Two: within its transaction one would see the activity as it was at the first look.
  const [holder, watcher] = [1, 2].map(() => new Client(clientOptions(api.postgres, 'atalaya-test'))) as [Client, Client];
  await Promise.all([holder.connect(), watcher.connect()]);
  /** Transactions that are open in the API. */
  const open = async (): Promise<number> => {
    const { rows } = await watcher.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'atalaya-api' AND xact_start IS NOT NULL`,
    );
    return rows[0]?.n ?? 0;
  };
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM products WHERE id_key = $1 FOR UPDATE', [productId]);
  const order = () =>
    call(`${api.url}/orders`, { headers: { ...customer.headers, 'idempotency-key': 'slow-1' }, body: orderOf(customer, productId) });
  const first = order();
  await expect.poll(open).toBe(1);
  const duplicates = Array.from({ length: 19 }, order);
  // An answer to a later request shows that the ones before it have been read.
  await Promise.all(Array.from({ length: 20 }, () => call(`${api.url}/products/${productId}`)));
  expect(await open()).toBe(1);

  await holder.query('COMMIT');
  await Promise.all([holder.end(), watcher.end()]);
  const answers = await Promise.all([first, ...duplicates]);
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
  expect(new Set(answers.map(({ body }) => body['id_key'])).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(19);
  expect((await call(`${api.url}/products/${productId}`)).body['stock']).toBe(49);
});
