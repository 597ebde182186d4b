import { Client } from 'pg';
import { describe, expect, test as base } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import { call, eventually, startApi, type ApiProcess } from '#test/support/api-process.ts';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';
import { createDatabaseProxy, type DatabaseProxy } from '../processes/database-proxy.ts';
import { makeCustomer, makeProduct, orderOf } from '../processes/running-api.ts';

type Doored = {
  readonly api: ApiProcess;
  readonly door: DatabaseProxy;
  /** Places an order for one of 5 pieces. */
  readonly order: (headers?: Record<string, string>, more?: object) => ReturnType<typeof call>;
  /** Orders and pieces left, asked past the door. */
  readonly books: () => Promise<{ orders: number; stock: number }>;
  /** Both ask past the door, each on a connection of its own: within a transaction what others do is seen once. */
  readonly look: (sql: string) => Promise<Record<string, unknown>[]>;
  readonly meanwhile: (sql: string) => Promise<unknown>;
};

/** The API behind a door to its database that can be shut in the middle of anything. */
const test = base.extend<{ doored: Doored }>({
  doored: async ({}, use) => {
    const database = await createMigratedDatabase();
    const door = await createDatabaseProxy(database.settings);
    await door.open();
    const api = await startApi(door.settings, { API_WORKERS: '1', RATE_LIMIT_ENABLED: 'false' });
    const books = new Client(clientOptions(database.settings, 'atalaya-test'));
    const holder = new Client(clientOptions(database.settings, 'atalaya-test'));
    await Promise.all([books.connect(), holder.connect()]);
    try {
      await api.ready();
      const [customer, productId] = [await makeCustomer(api), await makeProduct(api, 5)];
      await use({
        api,
        door,
        order: (headers, more) =>
          call(`${api.url}/orders`, { headers: { ...customer.headers, ...headers }, body: { ...orderOf(customer, productId), ...more } }),
        books: async () => {
          const { rows } = await books.query<{ orders: number; stock: number }>(
            'SELECT (SELECT count(*)::integer FROM orders) AS orders, stock FROM products',
          );
          return rows[0]!;
        },
        look: async (sql) => (await books.query<Record<string, unknown>>(sql)).rows,
        meanwhile: (sql) => holder.query(sql),
      });
    } finally {
      api.child.kill('SIGKILL');
      await api.exited;
      await Promise.all([books.end(), holder.end()]);
      await door.close();
      await database.drop();
    }
  },
});

const commit = 'COMMIT\0';
/** Who sends a key has all of it in one statement, which is a transaction by itself. */
const wholeOrder = 'order-record\0';

describe('a connection that breaks', { timeout: 60_000 }, () => {
  test('during COMMIT never looks like a refusal: who sent no key is told that nobody knows', async ({ doored }) => {
    const { door, order, books } = doored;
    for (const [when, after] of [
      ['before', { orders: 0, stock: 5 }],
      ['after', { orders: 1, stock: 4 }],
    ] as const) {
      const cut = door.cutAt(commit, when);
      const answer = await order();
      await cut;
      expect([answer.status, answer.body['code'], answer.headers.get('retry-after')]).toEqual([504, 'outcome_unknown', null]);
      expect(await books()).toEqual(after);
    }
  });

  test.for([
    ['of an order in one statement', wholeOrder, {}],
    ['of an order with a bill, which takes several', commit, { bill: { payment_type: 1 } }],
  ] as const)(
    'during COMMIT %s is found out by the key, and it is made once, whether that arrived or not',
    async ([, words, more], { doored }) => {
      const { door, order, books } = doored;
      for (const [when, orders] of [
        ['before', 1],
        ['after', 2],
      ] as const) {
        const cut = door.cutAt(words, when);
        const placed = await order({ 'idempotency-key': when }, more);
        await cut;
        expect([placed.status, placed.body['total']]).toEqual([201, 19.99]);
        expect(await books()).toEqual({ orders, stock: 5 - orders });
        expect((await order({ 'idempotency-key': when }, more)).body).toEqual(placed.body);
        expect(await books()).toEqual({ orders, stock: 5 - orders });
      }
    },
  );

  test('while an order waits for its product ends it before the order is tried again: what is refused is not placed later', async ({
    doored,
  }) => {
    const { door, order, books, look, meanwhile } = doored;
    await meanwhile('BEGIN; SELECT FROM products FOR UPDATE');
    const answer = order({ 'idempotency-key': 'k' });
    const waiting = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    const queries = async (): Promise<unknown[]> => (await look(waiting)).map(({ query }) => String(query));
    await expect.poll(queries).toEqual([expect.stringContaining('INSERT INTO orders')]);
    await door.close();
    await door.open();
    await expect.poll(queries, { timeout: 4_000 }).toEqual([expect.not.stringContaining('INSERT INTO orders')]);
    const sold = "INSERT INTO stock_movements (product_id, quantity, reason) SELECT id_key, -5, 'adjustment' FROM products";
    await meanwhile(`UPDATE products SET stock = 0; ${sold}; COMMIT`);
    expect((await answer).body['code']).toBe('insufficient_stock');
    expect(await books()).toEqual({ orders: 0, stock: 0 });
  });

  test('does not hinder the next order with a key, which needs one statement and no claim', async ({ doored }) => {
    const { door, order } = doored;
    expect((await order({ 'idempotency-key': 'k' })).status).toBe(201);
    expect(['order-record', 'idempotency-claim', 'idempotency-store'].map(door.ran)).toEqual([1, 0, 0]);
  });

  test('for longer than the API can look is said to be unknown, and the same key finds it out later', async ({ doored }) => {
    const { api, door, order, books } = doored;
    const shut = door.cutAt(wholeOrder, 'after').then(() => door.close());
    const answer = await order({ 'idempotency-key': 'k' });
    await shut;
    expect([answer.status, answer.body['code']]).toEqual([504, 'outcome_unknown']);
    await door.open();
    await eventually(
      () => call(`${api.url}/readyz`),
      ({ status }) => status === 200,
    );
    const again = await order({ 'idempotency-key': 'k' });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(await books()).toEqual({ orders: 1, stock: 4 });
  });

  test('before COMMIT is a refusal that is safe to repeat: nothing was done', async ({ doored }) => {
    const { door, order, books } = doored;
    for (const words of ['products-lock', 'order-record', 'BEGIN\0']) {
      const cut = door.cutAt(words, 'before');
      const answer = await order();
      await cut;
      expect([words, answer.status, answer.body['code']]).toEqual([words, 503, 'database_unavailable']);
    }
    expect(await books()).toEqual({ orders: 0, stock: 5 });
    expect((await order()).status).toBe(201);
  });
});
