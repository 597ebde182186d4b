import * as fc from 'fast-check';
import type { QueryConfig } from 'pg';
import { describe, expect } from 'vitest';
import { createDatabase } from '#api/db/tx.ts';
import { nextPage, type WrittenPage } from '#api/shop/pages.ts';
import { filterProducts, filterStatement } from '#api/shop/products/filter-products.ts';
import { productFilter } from '#api/shop/products/product-schema.ts';
import { test as running, asOperator } from '../processes/running-api.ts';
import { test, type MigratedDatabase } from '#test/support/migrated-database.ts';
import { customer, openShop, operator, type Shop } from './shop.ts';

type Row = { readonly id_key: number };

/** Products of few names and prices, so that many are equal in every order. */
async function addEqualProducts({ pool }: MigratedDatabase, count: number): Promise<void> {
  await pool.query(
    `INSERT INTO products (name, price_cents, stock) SELECT 'Lamp ' || n % 3, 100 + n % 4, 0 FROM generate_series(1, $1::integer) n`,
    [count],
  );
}

/** The ids on all pages of a list, by their cursors; `between` runs after each page. */
async function walk(shop: Shop, path: string, query: Record<string, string>, between = async (): Promise<void> => {}): Promise<number[]> {
  const ids: number[] = [];
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await shop.call(operator, `GET ${path}`, { query: { ...query, ...(cursor !== undefined && { cursor }) } });
    ids.push(...(page.json as Row[]).map(({ id_key }) => id_key));
    cursor = page.next;
    await between();
  }
  return ids;
}

const whole = async (shop: Shop, path: string, query: Record<string, string>): Promise<number[]> =>
  ((await shop.call(operator, `GET ${path}`, { query: { ...query, limit: '1000' } })).json as Row[]).map(({ id_key }) => id_key);

describe('pages by cursor', () => {
  test.for(['', 'price_asc', 'price_desc', 'name', 'name_asc', 'name_desc'])(
    'of products ordered by "%s" show each once, in that order, also among equals',
    async (sortBy, { db }) => {
      const shop = openShop(db);
      await addEqualProducts(db, 50);
      const query = { ...(sortBy && { sort_by: sortBy }), search: 'lamp', min_price: '1.01' };
      const all = await whole(shop, '/products/filter', query);
      expect(all.length).toBeGreaterThan(30);
      expect(await walk(shop, '/products/filter', { ...query, limit: '4' })).toEqual(all);
    },
  );

  test.for(['/products', '/categories', '/clients', '/orders', '/order_details', '/bills', '/addresses', '/reviews'])(
    'of %s show each once',
    async (path, { db }) => {
      const shop = openShop(db);
      await addEqualProducts(db, 9);
      await db.pool.query(`
      INSERT INTO categories (name) SELECT 'Category ' || n FROM generate_series(1, 9) n;
      INSERT INTO clients (name, lastname, email) SELECT 'A', 'B', n || '@example.com' FROM generate_series(1, 9) n;
      INSERT INTO addresses (client_id) SELECT id_key FROM clients;
      INSERT INTO orders (client_id, total_cents, delivery_method, status) SELECT id_key, 0, 1, 1 FROM clients;
      INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name)
        SELECT orders.id_key, products.id_key, 1, 1, 'x' FROM orders JOIN products ON products.id_key = orders.id_key;
      INSERT INTO bills (bill_number, payment_type, client_id) SELECT id_key, 1, id_key FROM clients;
      INSERT INTO reviews (rating_tenths, product_id, verified_purchase) SELECT 50, id_key, false FROM products;`);
      const all = await whole(shop, path, {});
      expect(all).toHaveLength(9);
      expect(await walk(shop, path, { limit: '2' })).toEqual(all);
      expect(await whole(shop, path, { skip: '7' })).toEqual(all.slice(7));
      expect((await shop.call(operator, `GET ${path}`, { query: { limit: '9' } })).next).toBeDefined();
      expect((await shop.call(operator, `GET ${path}`, { query: { limit: '10' } })).next).toBeUndefined();
    },
  );

  test('leave nothing out and show nothing twice when rows before them come and go', async ({ db }) => {
    const shop = openShop(db);
    await addEqualProducts(db, 20);
    const before = await whole(shop, '/products', {});
    const seen = await walk(shop, '/products', { limit: '3' }, async () => {
      await db.pool.query('DELETE FROM products WHERE id_key = (SELECT min(id_key) FROM products)');
    });
    expect(seen).toEqual(before);
  });
});

describe('pages of what is one’s own, and of reviews', () => {
  test('hold what they would hold alone, whoever else asks at the same time, and nothing of theirs', async ({ db }) => {
    const shop = openShop(db);
    await addEqualProducts(db, 5);
    await db.pool.query(`
      INSERT INTO clients (name, lastname, email) SELECT 'A', 'B', n || '@example.com' FROM generate_series(1, 4) n;
      INSERT INTO addresses (client_id) SELECT id_key FROM clients, generate_series(1, 7) WHERE id_key > 1 ORDER BY random();
      INSERT INTO bills (bill_number, payment_type, client_id) SELECT n, 1, 1 + n % 3 FROM generate_series(1, 20) n;
      INSERT INTO orders (client_id, total_cents, delivery_method, status) SELECT 1 + n % 3, 0, 1, 1 FROM generate_series(1, 20) n;
      INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name)
        SELECT 1 + n % 4, 1 + n % 5, 1, 1, 'x' FROM generate_series(1, 40) n;
      INSERT INTO reviews (rating_tenths, product_id, verified_purchase) SELECT 50, 1 + n % 4, false FROM generate_series(1, 20) n;`);
    const lists = ['addresses', 'bills', 'orders', 'order_details', 'reviews'];
    const asked = fc.record({
      list: fc.constantFrom(...lists),
      client: fc.integer({ min: 1, max: 4 }),
      order: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      product: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      skip: fc.nat(6),
      // A page of more than 100 is asked for alone.
      limit: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom(100, 101)),
      after: fc.option(fc.nat(30), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 70 }), async (all) => {
        const pages = await Promise.all(
          all.map(({ list, client, order, product, skip, limit, after }) =>
            shop.call(customer(client), `GET /${list}`, {
              query: {
                ...(list === 'order_details' && order !== undefined && { order_id: `${order}` }),
                ...(list === 'reviews' && product !== undefined && { product_id: `${product}` }),
                ...(after !== undefined && { cursor: Buffer.from(`[${after}]`).toString('base64url') }),
                skip: `${skip}`,
                limit: `${limit}`,
              },
            }),
          ),
        );
        for (const [index, { list, client, order, product, skip, limit, after = 0 }] of all.entries()) {
          const ofOrder = `${order === undefined ? 'true' : `order_id = ${order}`} AND order_id IN (SELECT id_key FROM orders WHERE client_id = ${client})`;
          const ofProduct = product === undefined ? 'true' : `product_id = ${product}`;
          const condition = { order_details: ofOrder, reviews: ofProduct }[list] ?? `client_id = ${client}`;
          const { rows } = await db.pool.query<{ id_key: string | number }>(
            `SELECT id_key FROM ${list} WHERE ${condition} AND id_key > ${after} ORDER BY id_key OFFSET ${skip} LIMIT ${limit}`,
          );
          const ids = rows.map(({ id_key }) => Number(id_key));
          expect((pages[index]!.json as Row[]).map(({ id_key }) => id_key)).toEqual(ids);
          expect(pages[index]?.next).toBe(ids.length < limit ? undefined : Buffer.from(`[${ids.at(-1)}]`).toString('base64url'));
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('filters of products', () => {
  /** What one text may be taken for in an array, in LIKE, or in SQL. */
  const words = ['lamp', 'a,b', '"', '\\', '{x}', 'NULL', '%', '_', '100% ñ', "'", '☃,"\\'];
  const filter = fc.record(
    {
      search: fc.constantFrom(...words),
      category_id: fc.constantFrom('1', '2'),
      min_price: fc.constantFrom('0', '1.01', '1.02'),
      max_price: fc.constantFrom('1.02', '1.03'),
      in_stock_only: fc.constantFrom('true', 'false'),
      sort_by: fc.constantFrom('price_asc', 'price_desc', 'name', 'name_asc', 'name_desc'),
      limit: fc.constantFrom('1', '3', '50', '101'),
      skip: fc.constantFrom('0', '2'),
    },
    { requiredKeys: ['limit'] },
  );

  test('find what they would find alone, whoever else asks at the same time, from any place on', async ({ db }) => {
    const shop = openShop(db);
    await db.pool.query(`INSERT INTO categories (name) VALUES ('A'), ('B')`);
    await db.pool.query(
      `INSERT INTO products (name, price_cents, stock, category_id)
       SELECT word || n % 2, 100 + n % 4, n % 3, 1 + n % 2 FROM unnest($1::text[]) AS word, generate_series(1, 8) n`,
      [words],
    );
    const aloneOf = async (asked: Record<string, string>): Promise<WrittenPage> => {
      const { statement, values } = filterStatement(productFilter.parse(asked));
      return (await db.pool.query<WrittenPage>({ ...statement, values: [...values] })).rows[0]!;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(filter, { minLength: 1, maxLength: 20 }), async (filters) => {
        for (let asked: Record<string, string>[] = filters, turn = 0; asked.length > 0 && turn < 3; turn += 1) {
          // Several of a kind that differ in one value alone.
          asked = asked
            .flatMap((one) => [one, { ...one, limit: '2' }, ...(one['search'] ? [{ ...one, search: 'lamp' }] : [])])
            .slice(0, 90);
          const pages = await Promise.all(asked.map((query) => shop.call(operator, 'GET /products/filter', { query })));
          const alone = await Promise.all(asked.map(aloneOf));
          expect(pages.map(({ text }) => text)).toEqual(alone.map(({ json }) => json));
          expect(pages.map(({ next }) => next)).toEqual(alone.map(nextPage));
          asked = asked.flatMap(({ skip: _skip, ...one }, index) => (pages[index]?.next ? [{ ...one, cursor: pages[index].next }] : []));
        }
      }),
      { numRuns: 15 },
    );
  });

  test('of one kind that are asked for at once are one question while there are few products, and each its own once there are many', async ({
    db,
  }) => {
    const heard: string[] = [];
    const pool = Object.assign(Object.create(db.pool), {
      connect: async () => {
        const client = await db.pool.connect();
        const query = client.query.bind(client);
        return Object.assign(Object.create(client), {
          query: (asked: QueryConfig) => (heard.push(String(asked.name).replace(/\d+/, 'N')), query(asked)),
        });
      },
    });
    const { read } = createDatabase(pool);
    const find = (price: number) => filterProducts(read, productFilter.parse({ max_price: `${price}`, limit: '2' }));
    await addEqualProducts(db, 50);
    const few = await Promise.all([1, 2, 3].map(find));
    expect(heard).toEqual(['product-filter-N-each']);
    expect(few.map(({ place }) => place)).toEqual(['[44]', '[49]', '[49]']);
    await addEqualProducts(db, 20_000);
    await find(4);
    await Promise.all([1, 2].map(find));
    expect(heard.slice(1)).toEqual(['product-filter-N-each', 'product-filter-N', 'product-filter-N', 'product-filter-N']);
    const { each } = filterStatement(productFilter.parse({ max_price: '4', limit: '2' }));
    const { rows } = await db.pool.query<Record<string, string>>(`EXPLAIN (ANALYZE) ${each?.text}`, ['{400}', '{2}']);
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/One-Time Filter[^]*products[^\n]*never executed/);
  });
});

describe('the Link header', () => {
  running('leads from page to page to the end, and keeps what was asked for', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false' });
    for (const price of [3, 1, 2, 2, 5]) {
      const body = JSON.stringify({ name: 'Lamp & co', price });
      await fetch(`${api.url}/products`, { method: 'POST', headers: { ...asOperator, 'content-type': 'application/json' }, body });
    }
    const prices: number[] = [];
    let path: string | undefined = '/products/filter/?search=lamp+%26&sort_by=price_desc&limit=2&skip=1';
    while (path !== undefined) {
      const answer: Response = await fetch(new URL(path, api.url));
      expect(answer.status).toBe(200);
      prices.push(...((await answer.json()) as { price: number }[]).map(({ price }) => price));
      path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(prices).toEqual([3, 2, 2, 1]);
  });
});
