import { describe, expect } from 'vitest';
import { test } from '#test/support/migrated-database.ts';
import { addClient, addProduct, anonymous, customer, openShop, operator, versionTag, type Shop } from './shop.ts';

async function buy(shop: Shop, clientId: number, productId: number): Promise<void> {
  const lines = [{ product_id: productId, quantity: 1 }];
  await shop.call(customer(clientId), 'POST /orders', { body: { client_id: clientId, delivery_method: 1, lines } });
}

describe('reviews', () => {
  test('are public, and tell the author’s given name and whether they had bought it', async ({ db }) => {
    const shop = openShop(db);
    const [buyer, visitor] = [await addClient(shop), await addClient(shop)];
    const [lamp, table] = [await addProduct(shop, { stock: 5 }), await addProduct(shop, { stock: 5 })];
    await buy(shop, buyer, lamp);
    const made = await shop.call(customer(buyer), 'POST /reviews', {
      body: { rating: 4.5, comment: 'A good light to read by.', product_id: lamp },
    });
    expect([made.status, made.json]).toMatchObject([
      201,
      { rating: 4.5, comment: 'A good light to read by.', product_id: lamp, author: 'Ada', verified_purchase: true, version: 1 },
    ]);
    expect(Object.keys(made.json)).not.toContain('client_id');
    expect(made.headers).toEqual({ Location: `/api/v1/reviews/${made.json.id_key}`, ETag: versionTag(1) });
    const unbought = await shop.call(customer(visitor), 'POST /reviews', { body: { rating: '5', product_id: lamp } });
    expect(unbought.json).toMatchObject({ rating: 5, comment: null, verified_purchase: false });
    expect((await shop.call(customer(buyer), 'POST /reviews', { body: { rating: 1, product_id: table } })).json.verified_purchase).toBe(
      false,
    );
    expect((await shop.call(anonymous, `GET /reviews/${made.json.id_key}`)).text).toBe(made.text);
    const ofLamp = await shop.call(anonymous, 'GET /reviews', { query: { product_id: String(lamp) } });
    expect(ofLamp.text).toBe(`[${made.text},${unbought.text}]`);
    expect((await shop.call(anonymous, 'GET /reviews')).json).toHaveLength(3);
  });

  test('of an order that was canceled are not of a purchase', async ({ db }) => {
    const shop = openShop(db);
    const [buyer, lamp] = [await addClient(shop), await addProduct(shop, { stock: 5 })];
    await buy(shop, buyer, lamp);
    await db.pool.query('UPDATE orders SET status = 4');
    const { json } = await shop.call(customer(buyer), 'POST /reviews', { body: { rating: 1, product_id: lamp } });
    expect(json.verified_purchase).toBe(false);
  });

  test('are one for each author and product, changed by nobody else; an operator brings along any number', async ({ db }) => {
    const shop = openShop(db);
    const [author, other] = [await addClient(shop), await addClient(shop)];
    const lamp = await addProduct(shop, { stock: 5 });
    const body = { rating: 3, product_id: lamp };
    const { json } = await shop.call(customer(author), 'POST /reviews', { body });
    const path = `/reviews/${json.id_key}`;
    await expect(shop.call(customer(author), 'POST /reviews', { body })).rejects.toMatchObject({ code: 'duplicate' });
    const denied = { code: 'not_found' };
    await expect(shop.call(customer(other), `PUT ${path}`, { body: { rating: 1 } })).rejects.toMatchObject(denied);
    await expect(shop.call(customer(other), `DELETE ${path}`)).rejects.toMatchObject(denied);
    const changed = await shop.call(customer(author), `PUT ${path}`, { body: { rating: 2.5, product_id: lamp }, ifMatch: 1 });
    expect(changed.json).toEqual({ ...json, rating: 2.5, version: 2 });
    const worded = await shop.call(customer(author), `PUT ${path}`, { body: { comment: 'It went dark "at once".' }, ifMatch: 2 });
    expect((await shop.call(anonymous, `GET ${path}`)).text).toBe(worded.text);
    const silent = await shop.call(operator, `PUT ${path}`, { body: { comment: null } });
    expect(silent.json).toEqual({ ...changed.json, version: 4 });
    expect((await shop.call(anonymous, `GET ${path}`)).text).toBe(silent.text);
    await expect(shop.call(customer(author), `PUT ${path}`, { body: { product_id: lamp + 1 } })).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/product_id' }],
    });
    for (let index = 0; index < 2; index += 1)
      expect((await shop.call(operator, 'POST /reviews', { body })).json).toMatchObject({ author: null, verified_purchase: false });
    expect((await shop.call(customer(author), `DELETE ${path}`)).status).toBe(204);
    expect((await shop.call(customer(author), 'POST /reviews', { body })).status).toBe(201);
  });

  test('lose their author when that client is deleted, and go with their product', async ({ db }) => {
    const shop = openShop(db);
    const [author, lamp] = [await addClient(shop), await addProduct(shop, { stock: 5 })];
    const body = { rating: 3, comment: 'Bright, and then dark.', product_id: lamp };
    const { json } = await shop.call(customer(author), 'POST /reviews', { body });
    await shop.call(operator, `DELETE /clients/${author}`);
    const left = await shop.call(anonymous, `GET /reviews/${json.id_key}`);
    expect(left.json).toEqual({ ...json, author: null, version: 2 });
    await expect(shop.call(customer(author), 'POST /reviews', { body })).rejects.toMatchObject({ code: 'not_found' });
    await shop.call(operator, `DELETE /products/${lamp}`);
    expect((await shop.call(anonymous, 'GET /reviews')).json).toEqual([]);
  });

  test('of too few or too many stars, of tenths of tenths, of a short comment or of nothing are refused', async ({ db }) => {
    const shop = openShop(db);
    const lamp = await addProduct(shop, { stock: 5 });
    const review = (body: object) => shop.call(operator, 'POST /reviews', { body: { rating: 3, product_id: lamp, ...body } });
    for (const rating of [0, 0.9, 5.1, 4.55, '6', 'many', null])
      await expect(review({ rating })).rejects.toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/rating' }] });
    await expect(review({ comment: 'short' })).rejects.toMatchObject({ errors: [{ pointer: '/comment' }] });
    expect((await review({ comment: '' })).json.comment).toBeNull();
    await expect(review({ product_id: 999 })).rejects.toMatchObject({ code: 'not_found', errors: [{ pointer: '/product_id' }] });
  });
});
