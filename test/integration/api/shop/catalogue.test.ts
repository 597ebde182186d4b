import { describe, expect } from 'vitest';
import { filterStatement } from '#api/shop/products/filter-products.ts';
import { test, type MigratedDatabase } from '#test/support/migrated-database.ts';
import { addClient, addProduct, brokenInvariants, openShop, operator, stockOf, versionTag } from './shop.ts';

describe('products', () => {
  test('answer alike when made, read, listed, found and changed', async ({ db }) => {
    const { call } = openShop(db);
    const category = await call(operator, 'POST /categories', { body: { name: 'Lighting' } });
    const body = { name: 'Lamp "Noche"', description: 'A\nlamp', price: 19.9, stock: 4, category_id: category.json.id_key as number };
    const made = await call(operator, 'POST /products', { body });
    expect(made.status).toBe(201);
    expect(made.json).toEqual({ ...body, id_key: made.json.id_key, category: category.json, reviews: [], version: 1 });
    const names = ['id_key', 'name', 'description', 'price', 'stock', 'category_id', 'category', 'reviews', 'version'];
    expect(Object.keys(made.json)).toEqual(names);
    expect(made.text).toContain('"price":19.90,');
    expect(made.headers).toEqual({ Location: `/api/v1/products/${made.json.id_key}`, ETag: versionTag(1) });

    const read = await call(operator, `GET /products/${made.json.id_key}`);
    expect(read).toEqual({ ...made, status: 200, headers: { ETag: made.headers['ETag'] } });
    expect((await call(operator, 'GET /products')).text).toBe(`[${made.text}]`);
    expect((await call(operator, 'GET /products/filter', { query: { search: 'noche' } })).text).toBe(`[${made.text}]`);
    const changed = await call(operator, `PUT /products/${made.json.id_key}`, { body: {} });
    expect(changed.json).toEqual({ ...made.json, version: 2 });
  });

  test('show their category and their ten newest reviews as those are now, under another tag when they change', async ({ db }) => {
    const shop = openShop(db);
    const { json: category } = await shop.call(operator, 'POST /categories', { body: { name: 'Lighting' } });
    const body = { name: 'Lamp', price: 19.9, category_id: category.id_key as number };
    const { json: made, headers } = await shop.call(operator, 'POST /products', { body });
    const path = `GET /products/${made.id_key}`;
    const reviews: unknown[] = [];
    for (const rating of [5, 4.5, 4, 3.5, 3, 2.5, 2, 1.5, 1, 1.1, 1.2]) {
      const review = { rating, comment: `It shines, "${rating}".`, product_id: made.id_key };
      reviews.unshift((await shop.call(operator, 'POST /reviews', { body: review })).json);
    }
    const { json: renamed } = await shop.call(operator, `PUT /categories/${category.id_key}`, { body: { name: 'Lamps' } });
    const read = await shop.call(operator, path);
    expect(read.json).toEqual({ ...made, category: renamed, reviews: reviews.slice(0, 10) });
    expect([read.headers['ETag'] === headers['ETag'], read.headers]).toEqual([false, { ETag: versionTag(1) }]);
    expect((await shop.call(operator, 'GET /products')).text).toBe(`[${read.text}]`);
    expect((await shop.call(operator, 'GET /products/filter', { query: { search: 'lamp' } })).text).toBe(`[${read.text}]`);

    const changed = await shop.call(operator, `PUT /products/${made.id_key}`, { body: { category_id: null }, ifMatch: 1 });
    expect(changed.json).toEqual({ ...read.json, category_id: null, category: null, version: 2 });
  });

  test('keep what a change leaves out, and lose what it sets to null', async ({ db }) => {
    const { call } = openShop(db);
    const { json: made } = await call(operator, 'POST /products', { body: { name: 'Lamp', description: 'x', price: 5, stock: 2 } });
    const { json } = await call(operator, `PUT /products/${made.id_key}`, { body: { description: null, price: 6.5 } });
    expect(json).toEqual({ ...made, description: null, price: 6.5, version: 2 });
  });

  test('get a counted stock through the ledger', async ({ db }) => {
    const shop = openShop(db);
    const id = await addProduct(shop, { stock: 10 });
    await shop.call(operator, `PUT /products/${id}`, { body: { stock: 7 } });
    await shop.call(operator, `PUT /products/${id}`, { body: { stock: 7, name: 'Same' } });
    await shop.call(operator, `PUT /products/${id}`, { body: { stock: 12 } });
    const { rows } = await db.pool.query('SELECT quantity, reason FROM stock_movements WHERE product_id = $1 ORDER BY id', [id]);
    expect(rows).toEqual([
      { quantity: 10, reason: 'initial' },
      { quantity: -3, reason: 'adjustment' },
      { quantity: 5, reason: 'adjustment' },
    ]);
    expect(await stockOf(shop, id)).toBe(12);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('of 50 changes from the same version, one is made and 49 are refused', async ({ db }) => {
    const shop = openShop(db);
    const id = await addProduct(shop, { stock: 1 });
    const changes = Array.from({ length: 50 }, (_, index) =>
      shop.call(operator, `PUT /products/${id}`, { body: { price: index + 1 }, ifMatch: 1 }),
    );
    const outcomes = await Promise.allSettled(changes);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as { code: string }] : []));
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['version_mismatch']));
  });

  test('change their version when a sale changes their stock', async ({ db }) => {
    const shop = openShop(db);
    const id = await addProduct(shop, { stock: 2 });
    const clientId = await addClient(shop);
    await shop.call(operator, 'POST /orders', {
      body: { client_id: clientId, delivery_method: 1, lines: [{ product_id: id, quantity: 1 }] },
    });
    expect((await shop.call(operator, `GET /products/${id}`)).headers).toEqual({ ETag: versionTag(2) });
  });

  test('that were sold cannot be deleted; others can, with their ledger', async ({ db }) => {
    const shop = openShop(db);
    const [sold, unsold] = [await addProduct(shop, { stock: 2 }), await addProduct(shop, { stock: 2 })];
    const clientId = await addClient(shop);
    await shop.call(operator, 'POST /orders', {
      body: { client_id: clientId, delivery_method: 1, lines: [{ product_id: sold, quantity: 1 }] },
    });
    await expect(shop.call(operator, `DELETE /products/${sold}`)).rejects.toMatchObject({ code: 'in_use' });
    await expect(shop.call(operator, `DELETE /products/${unsold}`, { ifMatch: 9 })).rejects.toMatchObject({ code: 'version_mismatch' });
    expect((await shop.call(operator, `DELETE /products/${unsold}`)).status).toBe(204);
    await expect(shop.call(operator, `GET /products/${unsold}`)).rejects.toMatchObject({ code: 'not_found' });
    await expect(shop.call(operator, `DELETE /products/${unsold}`)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('of a category that does not exist are refused when made and when changed', async ({ db }) => {
    const shop = openShop(db);
    const missing = { code: 'not_found', errors: [{ pointer: '/category_id' }] };
    await expect(shop.call(operator, 'POST /products', { body: { name: 'x', price: 1, category_id: 9 } })).rejects.toMatchObject(missing);
    const id = await addProduct(shop, { stock: 0 });
    await expect(shop.call(operator, `PUT /products/${id}`, { body: { category_id: 9 } })).rejects.toMatchObject(missing);
    await expect(shop.call(operator, 'PUT /products/999', { body: {} })).rejects.toMatchObject({ code: 'not_found', errors: [] });
  });

  test('come in pages by id, never more than asked for', async ({ db }) => {
    const shop = openShop(db);
    const ids: number[] = [];
    for (let index = 0; index < 7; index += 1) ids.push(await addProduct(shop, { stock: index, name: `Lamp ${9 - index}` }));
    const page = async (query: Record<string, string>) =>
      ((await shop.call(operator, 'GET /products', { query })).json as { id_key: number }[]).map(({ id_key }) => id_key);
    expect([
      await page({ limit: '3' }),
      await page({ skip: '3', limit: '3' }),
      await page({ skip: '6' }),
      await page({ skip: '7' }),
    ]).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6), []]);
  });
});

describe('finding products', () => {
  test('takes every condition, and percent signs, underscores and backslashes as they are', async ({ db }) => {
    const shop = openShop(db);
    const category = await shop.call(operator, 'POST /categories', { body: { name: 'Sale' } });
    const add = (name: string, price: number, stock: number, category_id: number | null = null) =>
      shop.call(operator, 'POST /products', { body: { name, price, stock, category_id } });
    await add('100% wool', 30, 1, category.json.id_key as number);
    await add('1000 pieces', 10, 0);
    await add('snake_case', 20, 5);
    await add('snakeXcase', 20, 5);
    await add('back\\slash', 0.5, 5);
    const find = async (query: Record<string, string>) =>
      ((await shop.call(operator, 'GET /products/filter', { query })).json as { name: string }[]).map(({ name }) => name);

    expect(await find({ search: '100%' })).toEqual(['100% wool']);
    expect(await find({ search: 'SNAKE_' })).toEqual(['snake_case']);
    expect(await find({ search: 'k\\s' })).toEqual(['back\\slash']);
    expect(await find({ search: `'; DROP TABLE products; --` })).toEqual([]);
    expect(await find({ min_price: '10', max_price: '20' })).toEqual(['snakeXcase', 'snake_case', '1000 pieces']);
    expect(await find({ min_price: '0', max_price: '0.50' })).toEqual(['back\\slash']);
    expect(await find({ in_stock_only: 'true', search: '100' })).toEqual(['100% wool']);
    expect(await find({ category_id: String(category.json.id_key) })).toEqual(['100% wool']);
    expect(await find({ sort_by: 'price_desc', limit: '2' })).toEqual(['100% wool', 'snake_case']);
    expect(await find({ sort_by: 'price_asc', limit: '2' })).toEqual(['back\\slash', '1000 pieces']);
    expect(await find({ sort_by: 'name', skip: '3', limit: '1' })).toEqual(['snakeXcase']);
    expect(await find({})).toHaveLength(5);
  });

  test('of very many by a part of the name reads an index, not all of them', async ({ db }) => {
    await db.pool.query(`INSERT INTO products (name, price_cents) SELECT 'thing ' || md5(n::text), 100 FROM generate_series(1, 20000) n`);
    await db.pool.query('ANALYZE products');
    for (const sort_by of [undefined, 'price_asc', 'name_desc'] as const) {
      const { statement, values } = filterStatement({ search: 'no such thing', in_stock_only: false, sort_by, skip: 0, limit: 20 });
      const { rows } = await db.pool.query<Record<string, string>>(`EXPLAIN ${statement.text}`, [...values]);
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('Index Scan on products_name_search');
    }
  });
});

const addMany = ({ pool }: MigratedDatabase): Promise<unknown> =>
  pool.query(`
    INSERT INTO categories (name) VALUES ('Lamps');
    INSERT INTO products (name, price_cents, category_id)
    SELECT 'thing ' || md5((n / 2)::text), 100 + n * 7919 % 9000, 1 FROM generate_series(1, 20000) n`);

describe('pages of a filter that lie far on', () => {
  const orders = [undefined, 'price_asc', 'price_desc', 'name_asc', 'name_desc'] as const;
  const far = { in_stock_only: false, skip: 10_000, limit: 20 };
  const conditions = { max_price: 45_000, category_id: 1 };
  test('are counted off an index: no table is read through, and none sorted', async ({ db }) => {
    await addMany(db);
    await db.pool.query('VACUUM ANALYZE products');
    for (const sort_by of orders)
      for (const asked of [far, { ...far, ...(sort_by && conditions) }]) {
        const { statement, values } = filterStatement({ ...asked, sort_by });
        const { rows } = await db.pool.query<Record<string, string>>(`EXPLAIN (ANALYZE, TIMING off) ${statement.text}`, [...values]);
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
        expect(plan).toContain('Index Only Scan');
        expect(plan).not.toContain('Seq Scan');
        // The products of the page, and reviews of each, which are none.
        const sorted = [...plan.matchAll(/^ *(?:-> {2})?Sort .*actual rows=(\d+)/gm)].map(([, rowCount]) => Number(rowCount));
        expect(Math.max(...sorted, 0)).toBeLessThanOrEqual(far.limit);
      }
  });

  test('show what they would if all had been asked for at once', async ({ db }) => {
    const { call } = openShop(db);
    await addMany(db);
    const find = async (query: Record<string, string>) => {
      const { json } = await call(operator, 'GET /products/filter', { query });
      return (json as { id_key: number }[]).map(({ id_key }) => id_key);
    };
    for (const sort_by of orders) {
      const query = { max_price: '2', ...(sort_by && { sort_by }) };
      const all = await find({ ...query, limit: '1000' });
      expect(all.length).toBeGreaterThan(200);
      expect(await find({ ...query, skip: '150', limit: '40' })).toEqual(all.slice(150, 190));
    }
  });
});

describe('categories', () => {
  test('have unique names, may be renamed, and are deleted only when empty', async ({ db }) => {
    const { call } = openShop(db);
    const { json: books, headers } = await call(operator, 'POST /categories', { body: { name: 'Books' } });
    expect(books).toEqual({ id_key: books.id_key, name: 'Books', version: 1 });
    expect(headers).toEqual({ Location: `/api/v1/categories/${books.id_key}`, ETag: versionTag(1) });
    const duplicate = { code: 'duplicate', errors: [{ pointer: '/name' }] };
    await expect(call(operator, 'POST /categories', { body: { name: 'Books' } })).rejects.toMatchObject(duplicate);
    const { json: toys } = await call(operator, 'POST /categories', { body: { name: 'Toys' } });
    await expect(call(operator, `PUT /categories/${toys.id_key}`, { body: { name: 'Books' } })).rejects.toMatchObject(duplicate);
    const renamed = await call(operator, `PUT /categories/${toys.id_key}`, { body: { name: 'Games' }, ifMatch: 1 });
    expect(renamed).toMatchObject({ json: { name: 'Games', version: 2 }, headers: { ETag: versionTag(2) } });
    await expect(call(operator, `PUT /categories/${toys.id_key}`, { body: { name: 'x' }, ifMatch: 1 })).rejects.toMatchObject({
      code: 'version_mismatch',
      extensions: { current_version: 2 },
    });

    await call(operator, 'POST /products', { body: { name: 'Novel', price: 5, category_id: books.id_key } });
    await expect(call(operator, `DELETE /categories/${books.id_key}`)).rejects.toMatchObject({ code: 'in_use' });
    expect((await call(operator, `DELETE /categories/${toys.id_key}`)).status).toBe(204);
    expect((await call(operator, 'GET /categories')).json).toEqual([books]);
    expect((await call(operator, `GET /categories/${books.id_key}`)).json).toEqual(books);
    await expect(call(operator, `GET /categories/${toys.id_key}`)).rejects.toMatchObject({ code: 'not_found' });
  });
});
