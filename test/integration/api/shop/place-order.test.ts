import { describe, expect } from 'vitest';
import { test } from '#test/support/migrated-database.ts';
import { addClient, addProduct, brokenInvariants, customer, openShop, operator, stockOf, versionTag } from './shop.ts';

describe('placing an order', () => {
  test('takes the stock, keeps the prices of the moment and answers with the whole order', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const lamp = await addProduct(shop, { stock: 10, price: 19.9, name: 'Lamp "Noche"' });
    const table = await addProduct(shop, { stock: 3, price: 100 });
    const lines = [
      { product_id: table, quantity: 1 },
      { product_id: lamp, quantity: 3 },
    ];
    const placed = await shop.call(customer(clientId), 'POST /orders', { body: { client_id: clientId, delivery_method: 3, lines } });

    expect(placed.status).toBe(201);
    expect(placed.headers).toMatchObject({ Location: `/api/v1/orders/${placed.json.id_key}`, ETag: versionTag(1) });
    expect(placed.text).toContain('"total":159.70,');
    expect(placed.json).toMatchObject({
      total: 159.7,
      delivery_method: 3,
      status: 1,
      client_id: clientId,
      version: 1,
      lines: [
        { product_id: table, product_name: 'Lamp', quantity: 1, price: 100 },
        { product_id: lamp, product_name: 'Lamp "Noche"', quantity: 3, price: 19.9 },
      ],
    });
    expect([await stockOf(shop, lamp), await stockOf(shop, table)]).toEqual([7, 2]);
    expect(await brokenInvariants(shop)).toEqual([]);

    const read = await shop.call(customer(clientId), `GET /orders/${placed.json.id_key}`);
    expect(read.text).toBe(placed.text);
    const listed = await shop.call(customer(clientId), 'GET /orders');
    const { lines: _lines, ...flat } = placed.json;
    expect(listed.json).toEqual([flat]);
  });

  test('adds up a product that stands on several lines before it looks at the stock', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const productId = await addProduct(shop, { stock: 5 });
    const twice = (quantity: number) => ({
      body: {
        client_id: clientId,
        delivery_method: 1,
        lines: [
          { product_id: productId, quantity: 3 },
          { product_id: productId, quantity },
        ],
      },
    });
    await expect(shop.call(operator, 'POST /orders', twice(3))).rejects.toMatchObject({
      code: 'insufficient_stock',
      extensions: { products: [{ product_id: productId, requested: 6, available: 5 }] },
    });
    expect((await shop.call(operator, 'POST /orders', twice(2))).json.lines).toHaveLength(2);
    expect(await stockOf(shop, productId)).toBe(0);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('names every product of which there is too little, and changes nothing', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const ids = await Promise.all([addProduct(shop, { stock: 9 }), addProduct(shop, { stock: 0 }), addProduct(shop, { stock: 2 })]);
    const lines = ids.map((product_id) => ({ product_id, quantity: 3 }));
    await expect(shop.call(operator, 'POST /orders', { body: { client_id: clientId, delivery_method: 1, lines } })).rejects.toMatchObject({
      errors: [{ pointer: '/lines/1/quantity' }, { pointer: '/lines/2/quantity' }],
      extensions: {
        products: [
          { product_id: ids[1], available: 0 },
          { product_id: ids[2], available: 2 },
        ],
      },
    });
    expect(await Promise.all(ids.map((id) => stockOf(shop, id)))).toEqual([9, 0, 2]);
    expect((await shop.call(operator, 'GET /orders')).json).toEqual([]);
  });

  test('of an unknown product or client is not found, each with its place in the body', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const productId = await addProduct(shop, { stock: 5 });
    const order = (client_id: number, product_id: number) =>
      shop.call(operator, 'POST /orders', { body: { client_id, delivery_method: 1, lines: [{ product_id, quantity: 1 }] } });
    await expect(order(clientId, 999)).rejects.toMatchObject({ code: 'not_found', errors: [{ pointer: '/lines/0/product_id' }] });
    await expect(order(999, productId)).rejects.toMatchObject({ code: 'not_found', errors: [{ pointer: '/client_id' }] });
    expect(await stockOf(shop, productId)).toBe(5);
  });

  test('for a deleted client is not found', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const productId = await addProduct(shop, { stock: 5 });
    await shop.call(operator, `DELETE /clients/${clientId}`);
    const lines = [{ product_id: productId, quantity: 1 }];
    await expect(shop.call(operator, 'POST /orders', { body: { client_id: clientId, delivery_method: 1, lines } })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await stockOf(shop, productId)).toBe(5);
  });

  test('with a total that is not the true one is refused with the true one', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const productId = await addProduct(shop, { stock: 5, price: 19.99 });
    const body = { client_id: clientId, delivery_method: 1, lines: [{ product_id: productId, quantity: 3 }] };
    const refused = shop.call(operator, 'POST /orders', { body: { ...body, total: 59.96 } });
    await expect(refused).rejects.toMatchObject({ code: 'price_mismatch' });
    expect(JSON.stringify(await refused.catch((err: { extensions: object }) => err.extensions))).toBe('{"total":59.97}');
    expect(await stockOf(shop, productId)).toBe(5);
    // 3 × 19.99 as binary fractions is 59.969999999999995.
    expect((await shop.call(operator, 'POST /orders', { body: { ...body, total: 3 * 19.99 } })).status).toBe(201);
  });

  test('without lines starts empty and pending, whatever total is sent', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const { json, text } = await shop.call(customer(clientId), 'POST /orders', {
      body: { client_id: clientId, delivery_method: 2, total: 50 },
    });
    expect(json).toMatchObject({ status: 1, total: 0, lines: [] });
    expect(text).toContain('"total":0.00');
  });

  test('for another client is not found, as orders of others are, whether that client exists or not', async ({ db }) => {
    const shop = openShop(db);
    const [ada, bob] = [await addClient(shop), await addClient(shop)];
    const body = { client_id: ada, delivery_method: 1 };
    const refusals = await Promise.allSettled([
      shop.call(customer(bob), 'POST /orders', { body }),
      shop.call(customer(bob), 'POST /orders', { body: { ...body, client_id: 999 } }),
      shop.call(operator, 'POST /orders', { body: { ...body, client_id: 999 } }),
    ]);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({
        reason: {
          code: 'not_found',
          message: 'The client does not exist.',
          errors: [{ pointer: '/client_id', message: 'does not exist' }],
        },
      });
    }
    const { json } = await shop.call(operator, 'POST /orders', { body });
    await expect(shop.call(customer(bob), `GET /orders/${json.id_key}`)).rejects.toMatchObject({ code: 'not_found' });
    await expect(shop.call(customer(bob), 'GET /orders', { query: { client_id: String(ada) } })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect((await shop.call(customer(bob), 'GET /orders')).json).toEqual([]);
    expect((await shop.call(operator, 'GET /orders', { query: { client_id: String(ada) } })).json).toHaveLength(1);
    expect((await shop.call(operator, 'GET /orders')).json).toHaveLength(1);
  });

  test('refuses quantities below one, fractions, unknown fields and an empty list of lines', async ({ db }) => {
    const shop = openShop(db);
    const bodies = [
      { client_id: 1, delivery_method: 1, lines: [{ product_id: 1, quantity: -1 }] },
      { client_id: 1, delivery_method: 1, lines: [{ product_id: 1, quantity: 0 }] },
      { client_id: 1, delivery_method: 1, lines: [{ product_id: 1, quantity: 1.5 }] },
      { client_id: 1, delivery_method: 1, lines: [{ product_id: 1, quantity: 1, price: 1 }] },
      { client_id: 1, delivery_method: 1, lines: [] },
      { client_id: 1, delivery_method: 4 },
      { client_id: 1, delivery_method: 1, id_key: 7 },
    ];
    const outcomes = await Promise.allSettled(bodies.map((body) => shop.call(operator, 'POST /orders', { body })));
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code)).toEqual(
      bodies.map(() => 'validation_failed'),
    );
  });
});
