import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, onTestFinished } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import { call, eventually, type Answer } from '#test/support/api-process.ts';
import { startRedis } from '#test/support/redis.ts';
import { asOperator, makeCustomer, makeProduct, orderOf, test, type RunningApi, type Start } from './running-api.ts';
import { untilTold, workersOf } from './worker-processes.ts';

/** Four workers on PostgreSQL and Redis. */
async function startFour(start: Start, env: Readonly<Record<string, string>> = {}): Promise<RunningApi> {
  const redis = await startRedis();
  onTestFinished(redis.stop);
  const api = await start({ API_WORKERS: '4', DB_POOL_SIZE: '5', REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port), ...env });
  await untilTold(api, 4);
  return api;
}

/** Asks the database past the API. */
async function withBooks<T>({ postgres }: RunningApi, work: (books: Client) => Promise<T>): Promise<T> {
  const books = new Client(clientOptions(postgres, 'atalaya-test'));
  await books.connect();
  try {
    return await work(books);
  } finally {
    await books.end();
  }
}

/** Products whose stock is not what their ledger adds up to, or less than nothing. */
async function brokenLedgers(api: RunningApi): Promise<unknown[]> {
  const { rows } = await withBooks(api, (books) =>
    books.query<object>(
      `SELECT id_key, stock FROM products
       WHERE stock < 0 OR stock <> (SELECT coalesce(sum(quantity), 0) FROM stock_movements WHERE product_id = products.id_key)`,
    ),
  );
  return rows;
}

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const statuses = (answers: readonly Answer[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

/** Those of this database who wait for a lock. (pg_stat_activity stands still within a transaction.) */
const waitingHere = `SELECT FROM pg_locks WHERE NOT granted
  AND pid IN (SELECT pid FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;

/** Whoever is turned away comes again with the same key. */
async function untilServed(ask: () => Promise<Answer>): Promise<Answer> {
  return eventually(ask, ({ status }) => status !== 503, 40_000);
}

describe('four workers', { timeout: 90_000 }, () => {
  test('sell 1,000 buyers the last 100 pieces, in carts with a product twice and lines in opposite order', async ({ start }) => {
    const api = await startFour(start);
    const [customer, scarce, plenty] = [await makeCustomer(api), await makeProduct(api, 100), await makeProduct(api, 100_000)];
    const answers = await Promise.all(
      times(1_000, (index) => {
        const lines = [scarce, plenty, plenty].map((product_id) => ({ product_id, quantity: 1 }));
        const body = { ...orderOf(customer, scarce), lines: index % 2 === 0 ? lines : lines.toReversed() };
        const headers = { ...customer.headers, 'idempotency-key': randomUUID() };
        return untilServed(() => call(`${api.url}/orders`, { headers, body }));
      }),
    );
    expect(statuses(answers)).toEqual({ 201: 100, 409: 900 });
    expect(new Set(answers.filter(({ status }) => status === 409).map(({ body }) => body['code']))).toEqual(
      new Set(['insufficient_stock']),
    );
    const { rows } = await withBooks(api, (books) => books.query('SELECT stock FROM products ORDER BY id_key'));
    expect([rows, await brokenLedgers(api)]).toEqual([[{ stock: 0 }, { stock: 100_000 - 200 }], []]);
  });

  test('make one order of one key sent 50 times at once, also when all of them are killed while they make it', async ({ start }) => {
    const api = await startFour(start);
    const [customer, product] = [await makeCustomer(api), await makeProduct(api, 5)];
    const order = (key: string) =>
      call(`${api.url}/orders`, { headers: { ...customer.headers, 'idempotency-key': key }, body: orderOf(customer, product) });
    const answers = await Promise.all(times(50, () => untilServed(() => order('once'))));
    const made = answers.filter(({ status }) => status === 201);
    expect(answers.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
    expect(new Set(made.map(({ body }) => body['id_key'])).size).toBe(1);
    expect(made.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);

    await withBooks(api, async (books) => {
      await books.query('BEGIN');
      await books.query('SELECT FROM products FOR UPDATE');
      const broken = Promise.allSettled(times(4, () => order('killed')));
      while ((await books.query(waitingHere)).rowCount === 0) await sleep(20);
      for (const pid of workersOf(api)) process.kill(pid, 'SIGKILL');
      expect((await broken).filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
      await books.query('ROLLBACK');
    });
    const again = await eventually(
      () => order('killed'),
      ({ status }) => status === 201,
      30_000,
    );
    expect(again.body['status']).toBe(1);
    const { rows } = await withBooks(api, (books) =>
      books.query('SELECT (SELECT count(*)::integer FROM orders) AS orders, stock FROM products'),
    );
    expect([rows, await brokenLedgers(api)]).toEqual([[{ orders: 2, stock: 3 }], []]);
  });

  test('make one of 50 changes that name the same version, and refuse 49', async ({ start }) => {
    const api = await startFour(start);
    const url = `${api.url}/products/${await makeProduct(api, 5)}`;
    const headers = { ...asOperator, 'if-match': (await call(url)).headers.get('etag') ?? '' };
    const answers = await Promise.all(times(50, (index) => call(url, { method: 'PUT', headers, body: { stock: index } })));
    expect(statuses(answers)).toEqual({ 200: 1, 412: 49 });
  });

  test('let an order that is canceled, delivered and edited at once end in one legal state, with its stock', async ({ start }) => {
    const api = await startFour(start);
    const [customer, product] = [await makeCustomer(api), await makeProduct(api, 1_000)];
    const put = (path: string, body: object) => call(`${api.url}${path}`, { method: 'PUT', headers: asOperator, body });
    for (let round = 0; round < 10; round += 1) {
      const { body } = await call(`${api.url}/orders`, { headers: customer.headers, body: orderOf(customer, product, 5) });
      const [order, line] = [String(body['id_key']), (body['lines'] as { id_key: number }[])[0]?.id_key];
      // Every other order is on its way already: then the delivery is as near as the cancel.
      const isOnItsWay = round % 2 === 1;
      if (isOnItsWay) await put(`/orders/${order}`, { status: 2 });
      const answers = await Promise.all([
        put(`/orders/${order}`, { status: isOnItsWay ? 3 : 2 }),
        call(`${api.url}/orders/${order}/cancel`, { method: 'POST', headers: customer.headers }),
        ...times(4, (index) => put(`/order_details/${line}`, { quantity: index + 1 })),
      ]);
      expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
    }
    const { rows } = await withBooks(api, (books) =>
      books.query<{ sold: number; wrong: number }>(
        `SELECT coalesce(sum(quantity - returned) FILTER (WHERE status <> 4), 0)::integer AS sold,
         count(*) FILTER (WHERE status NOT IN (2, 3, 4) OR (status = 4 AND returned <> quantity))::integer AS wrong
       FROM orders JOIN order_details ON order_id = orders.id_key`,
      ),
    );
    const { stock } = (await call(`${api.url}/products/${product}`)).body;
    expect([Number(stock) + Number(rows[0]?.sold), rows[0]?.wrong, await brokenLedgers(api)]).toEqual([1_000, 0, []]);
  });

  test('let somebody who claims 2,000 addresses ask as often as one', async ({ start }) => {
    const api = await startFour(start);
    const answers: Answer[] = [];
    for (let round = 0; round < 20; round += 1) {
      const addresses = times(100, (index) => `10.0.${round}.${index}`);
      answers.push(
        ...(await Promise.all(addresses.map((address) => call(`${api.url}/categories`, { headers: { 'x-forwarded-for': address } })))),
      );
    }
    expect(statuses(answers)).toEqual({ 200: 100, 429: 1_900 });
  });
});
