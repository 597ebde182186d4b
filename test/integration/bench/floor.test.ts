import { Pool } from 'pg';
import { describe, expect } from 'vitest';
import { placeOrder, readProduct, readProducts } from '#bench/floor-handlers.ts';
import { clientOptions } from '#lib/postgres.ts';
import { test as base } from '#test/support/migrated-database.ts';
import { addClient, brokenInvariants, openShop, operator } from '../api/shop/shop.ts';

/** With `floor`: a pool as the floor server has, which parses columns as `pg` does by itself. */
const test = base.extend<{ floor: Pool }>({
  floor: async ({ db }, use) => {
    const pool = new Pool({ ...clientOptions(db.settings, 'atalaya-floor'), max: 2 });
    await use(pool);
    await pool.end();
  },
});

describe('the floor server of the bench', () => {
  test('answers a product, a page and a search with the very bytes of the API', async ({ db, floor }) => {
    const shop = openShop(db);
    const { json: category } = await shop.call(operator, 'POST /categories', { body: { name: 'Luces "de mar"' } });
    const given = {
      name: 'Lámpara "Faro" \\ 7',
      description: 'Luz\n\u2028🌊',
      price: 13.5,
      stock: 9,
      category_id: category.id_key as number,
    };
    for (const price of [13.5, 0.07, 400]) await shop.call(operator, 'POST /products', { body: { ...given, price } });
    const { json } = await shop.call(operator, 'POST /products', { body: { ...given, description: null, category_id: null } });
    const review = { rating: 4.5, comment: 'Alumbra "bien", y lejos.', product_id: json.id_key };
    await shop.call(operator, 'POST /reviews', { body: review });
    const { text } = await shop.call(operator, `GET /products/${json.id_key}`);
    expect(text).toContain('"rating":4.5,');
    await expect(readProduct(floor, json.id_key as number)).resolves.toBe(text);
    const asked = [
      ['/products', { skip: '1', limit: '2' }],
      ['/products/filter', { search: 'faro', max_price: '20.50', in_stock_only: 'true', sort_by: 'price_asc', limit: '20' }],
    ] as const;
    for (const [path, query] of asked) {
      const list = await shop.call(operator, `GET ${path}`, { query });
      expect(list.json.length).toBeGreaterThan(1);
      await expect(readProducts(floor, new URLSearchParams(query), path.endsWith('/filter'))).resolves.toBe(list.text);
    }
  });

  test('places an order as the API does, in stock, ledger and the bytes of the answer', async ({ db, floor }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const ids: number[] = [];
    for (const price of [13.5, 0.07, 100]) {
      const { json } = await shop.call(operator, 'POST /products', { body: { name: `Faro ${price}`, price, stock: 9 } });
      ids.push(json.id_key as number);
    }
    const order = { client_id: clientId, delivery_method: 1, lines: ids.map((product_id) => ({ product_id, quantity: 2 })) };
    const body = await placeOrder(floor, JSON.stringify(order), 'a-key');
    const { id_key } = JSON.parse(body) as { id_key: number };
    const { text } = await shop.call(operator, `GET /orders/${id_key}`);
    expect(body).toBe(text);
    expect(body).toContain('"total":227.14');
    expect(await brokenInvariants(shop)).toEqual([]);
  });
});
