// The checkout of the original, from the bill to the last line, whose steps build on each other; so it is long.

import { Client } from 'pg';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { test } from '#test/support/migrated-database.ts';
import {
  addClient,
  addProduct,
  brokenInvariants,
  customer,
  openShop,
  operator,
  stockOf,
  versionTag,
  whileHeld,
  type Answer,
  type Shop,
} from './shop.ts';

async function emptyOrder(shop: Shop, clientId: number, more: object = {}): Promise<number> {
  const { json } = await shop.call(customer(clientId), 'POST /orders', { body: { client_id: clientId, delivery_method: 1, ...more } });
  return json.id_key as number;
}

describe('the checkout of the original: a bill, an order, then its lines', () => {
  test('makes the same bill, order and lines, and every amount is the server’s', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const mine = customer(clientId);
    const [lamp, table] = [await addProduct(shop, { stock: 5, price: 19.99 }), await addProduct(shop, { stock: 2, price: 100 })];
    const bill = await shop.call(mine, 'POST /bills', {
      body: { bill_number: 'BILL-1732', discount: 0, date: '2026-11-26T10:00:00.000Z', total: 1, payment_type: '2', client_id: clientId },
    });
    expect([bill.status, bill.json]).toMatchObject([
      201,
      { bill_number: 'BILL-1732', discount: 0, date: '2026-11-26', total: 0, payment_type: 2, client_id: clientId, version: 1 },
    ]);
    expect(bill.headers).toEqual({ Location: `/api/v1/bills/${bill.json.id_key}`, ETag: versionTag(1) });
    const bill_id = bill.json.id_key as number;
    const order_id = await emptyOrder(shop, clientId, { bill_id, total: 159.97, status: 1, date: '2026-11-26' });
    const add = (product_id: number, quantity: number, price?: number) =>
      shop.call(mine, 'POST /order_details', { body: { quantity, order_id, product_id, price } });
    const line = await add(lamp, 3, 19.99);
    expect([line.status, line.json]).toMatchObject([
      201,
      { quantity: 3, price: 19.99, order_id, product_id: lamp, product_name: 'Lamp', returned: 0, version: 1 },
    ]);
    await add(table, 1);
    expect((await shop.call(mine, `GET /orders/${order_id}`)).json).toMatchObject({ total: 159.97, bill_id, lines: [{}, {}] });
    expect((await shop.call(mine, `GET /bills/${bill_id}`)).json.total).toBe(159.97);
    expect((await shop.call(mine, 'GET /order_details')).json).toHaveLength(2);
    expect([await stockOf(shop, lamp), await stockOf(shop, table)]).toEqual([2, 1]);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('refuses a line at another price, of too many pieces, of nothing there is, or of another’s order', async ({ db }) => {
    const shop = openShop(db);
    const [clientId, stranger] = [await addClient(shop), await addClient(shop)];
    const product_id = await addProduct(shop, { stock: 5, price: 19.99 });
    const order_id = await emptyOrder(shop, clientId);
    const add = (body: object, as = customer(clientId)) =>
      shop.call(as, 'POST /order_details', { body: { quantity: 1, order_id, product_id, ...body } });
    await expect(add({ price: 19.98 })).rejects.toMatchObject({ code: 'price_mismatch', errors: [{ pointer: '/price' }] });
    await expect(add({ quantity: 6 })).rejects.toMatchObject({
      code: 'insufficient_stock',
      extensions: { products: [{ product_id, requested: 6, available: 5 }] },
    });
    await expect(add({ product_id: 999 })).rejects.toMatchObject({ code: 'not_found', errors: [{ pointer: '/product_id' }] });
    for (const refused of [() => add({ order_id: 999 }), () => add({}, customer(stranger))])
      await expect(refused()).rejects.toMatchObject({ code: 'not_found', errors: [{ pointer: '/order_id' }] });
    await shop.call(operator, `PUT /orders/${order_id}`, { body: { status: 2 } });
    await expect(add({})).rejects.toMatchObject({ code: 'illegal_transition' });
    expect(await stockOf(shop, product_id)).toBe(5);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('of 100 parallel buyers of 10 pieces lets 10 have one', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const product_id = await addProduct(shop, { stock: 10 });
    const orders = await Promise.all(Array.from({ length: 10 }, () => emptyOrder(shop, clientId)));
    const buys = Array.from({ length: 100 }, (_, index) =>
      shop.call(operator, 'POST /order_details', { body: { quantity: 1, order_id: orders[index % 10], product_id } }),
    );
    const outcomes = await Promise.allSettled(buys);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : []));
    expect([refused.length, ...new Set(refused)]).toEqual([90, 'insufficient_stock']);
    expect(await stockOf(shop, product_id)).toBe(0);
    expect(await brokenInvariants(shop)).toEqual([]);
  });
});

describe('lines of a pending order', () => {
  test('change by the difference, one of 50 changes from the same version, and give all back when taken out', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const product_id = await addProduct(shop, { stock: 60, price: 5 });
    const order_id = await emptyOrder(shop, clientId, { lines: [{ product_id, quantity: 1 }] });
    const [line] = (await shop.call(operator, 'GET /order_details', { query: { order_id: String(order_id) } })).json;
    const path = `/order_details/${line.id_key}`;
    const changes = Array.from({ length: 50 }, (_, index) =>
      shop.call(customer(clientId), `PUT ${path}`, { body: { quantity: index + 2, product_id, order_id, price: 5 }, ifMatch: 1 }),
    );
    const outcomes = await Promise.allSettled(changes);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const changed = (await shop.call(customer(clientId), `GET ${path}`)).json;
    expect(changed.version).toBe(2);
    expect(await stockOf(shop, product_id)).toBe(60 - changed.quantity);
    expect((await shop.call(operator, `GET /orders/${order_id}`)).json.total).toBe(5 * changed.quantity);
    await expect(shop.call(operator, `PUT ${path}`, { body: { quantity: 61 } })).rejects.toMatchObject({ code: 'insufficient_stock' });
    await expect(shop.call(operator, `PUT ${path}`, { body: { product_id: product_id + 1 } })).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/product_id' }],
    });
    expect((await shop.call(operator, `PUT ${path}`, { body: { quantity: 1 } })).json).toMatchObject({ quantity: 1, version: 3 });
    expect(await stockOf(shop, product_id)).toBe(59);
    expect((await shop.call(operator, `GET /orders/${order_id}`)).json.total).toBe(5);
    expect(await brokenInvariants(shop)).toEqual([]);
    const stranger = customer(await addClient(shop));
    for (const request of [`GET ${path}`, `DELETE ${path}`])
      await expect(shop.call(stranger, request)).rejects.toMatchObject({ code: 'not_found' });
    expect((await shop.call(stranger, 'GET /order_details', { query: { order_id: String(order_id) } })).json).toEqual([]);
    const [others] = (await shop.call(operator, 'GET /order_details', { query: { order_id: String(order_id) } })).json;
    await expect(shop.call(stranger, `GET /order_details/${others.id_key}`)).rejects.toMatchObject({ code: 'not_found' });
    expect((await shop.call(customer(clientId), `DELETE ${path}`)).status).toBe(204);
    expect(await stockOf(shop, product_id)).toBe(60);
    expect((await shop.call(operator, `GET /orders/${order_id}`)).json).toMatchObject({ total: 0, lines: [] });
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('are added in four round trips, changed and taken out in three, with the bill of their order', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const [product_id, another] = [await addProduct(shop, { stock: 9, price: 5 }), await addProduct(shop, { stock: 9, price: 2 })];
    const bill = { payment_type: 1 };
    const order_id = await emptyOrder(shop, clientId, { lines: [{ product_id: another, quantity: 1 }], bill });
    const trips = countRoundTrips();
    const added = await shop.call(customer(clientId), 'POST /order_details', { body: { order_id, product_id, quantity: 2 } });
    expect(trips()).toBe(4);
    const path = `/order_details/${added.json.id_key}`;
    await shop.call(customer(clientId), `PUT ${path}`, { body: { quantity: 3 } });
    expect(trips()).toBe(7);
    const same = await shop.call(customer(clientId), `PUT ${path}`, { body: { quantity: 3 } });
    expect([trips(), same.json.version]).toEqual([9, 3]);
    expect((await shop.call(customer(clientId), `GET ${path}`)).text).toBe(same.text);
    const { bill_id } = (await shop.call(operator, `GET /orders/${order_id}`)).json;
    expect((await shop.call(operator, `GET /bills/${bill_id}`)).json.total).toBe(17);
    const before = trips();
    await shop.call(customer(clientId), `DELETE ${path}`);
    expect(trips() - before).toBe(3);
    expect((await shop.call(operator, `GET /bills/${bill_id}`)).json.total).toBe(2);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('taken out by many at once give their stock back once each', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const product_id = await addProduct(shop, { stock: 50 });
    const order_id = await emptyOrder(shop, clientId, { lines: Array.from({ length: 10 }, () => ({ product_id, quantity: 5 })) });
    const lines = (await shop.call(operator, 'GET /order_details', { query: { order_id: String(order_id) } })).json as { id_key: number }[];
    const deletions = [...lines, ...lines].map(({ id_key }) => shop.call(operator, `DELETE /order_details/${id_key}`));
    const outcomes = await Promise.allSettled(deletions);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(await stockOf(shop, product_id)).toBe(50);
    expect(await brokenInvariants(shop)).toEqual([]);
  });
});

describe('bills', () => {
  test('are numbered by the shop when they bring no number, each one only once', async ({ db }) => {
    const shop = openShop(db);
    const client_id = await addClient(shop);
    const make = (body: object = {}) => shop.call(operator, 'POST /bills', { body: { payment_type: 1, client_id, ...body } });
    const bills = await Promise.all(Array.from({ length: 20 }, () => make()));
    const numbers = new Set(bills.map(({ json }) => json.bill_number as string));
    expect(numbers.size).toBe(20);
    for (const number of numbers) expect(number).toMatch(/^A-\d{4}-\d+$/);
    await make({ bill_number: 'X-1' });
    await expect(make({ bill_number: 'X-1' })).rejects.toMatchObject({ code: 'duplicate', errors: [{ pointer: '/bill_number' }] });
    await expect(make({ bill_number: 'a-2026-5' })).rejects.toMatchObject({ code: 'validation_failed' });
    await expect(make({ date: '2026-02-30' })).rejects.toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/date' }] });
  });

  test('made with a key are made once by five that come at the same time, with a number of their own or the shop’s', async ({ db }) => {
    const shop = openShop(db);
    const client_id = await addClient(shop);
    for (const own of [{}, { bill_number: 'X-1', date: '2026-02-28' }]) {
      const body = { payment_type: 2, client_id, discount: 1.5, ...own };
      const key = JSON.stringify(own).length.toString();
      const make = () => Promise.all(Array.from({ length: 5 }, () => shop.call(operator, 'POST /bills', { body, key })));
      const answers = (await whileHeld(db, `UPDATE clients SET version = version + 1 WHERE id_key = ${client_id}`, make, 5)) as Answer[];
      expect(answers).toHaveLength(5);
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(answers.filter(({ headers }) => !('Idempotency-Replayed' in headers))).toHaveLength(1);
      const [{ json, text } = { json: {}, text: '' }] = answers;
      expect(json).toMatchObject({ discount: 1.5, total: 0, payment_type: 2, client_id, version: 1, ...own });
      expect((await shop.call(operator, `GET /bills/${json.id_key}`)).text).toBe(text);
    }
    expect((await shop.call(operator, 'GET /bills')).json).toHaveLength(2);
    const refused = [
      [operator, { client_id: 999 }, { code: 'not_found', errors: [{ pointer: '/client_id' }] }],
      [customer(client_id), { client_id, discount: 1 }, { code: 'validation_failed', errors: [{ pointer: '/discount' }] }],
      [customer(client_id + 1), { client_id }, { code: 'not_found' }],
    ] as const;
    for (const [who, body, refusal] of refused)
      await expect(shop.call(who, 'POST /bills', { body: { payment_type: 1, ...body }, key: 'refused' })).rejects.toMatchObject(refusal);
  });

  test('are made with their order, or for one order alone, of their own client', async ({ db }) => {
    const shop = openShop(db);
    const [clientId, other] = [await addClient(shop), await addClient(shop)];
    const product_id = await addProduct(shop, { stock: 9, price: 25 });
    const order = (body: object) =>
      shop.call(customer(clientId), 'POST /orders', {
        body: { client_id: clientId, delivery_method: 1, lines: [{ product_id, quantity: 2 }], ...body },
      });
    const placed = await order({ bill: { payment_type: 3 } });
    expect((await shop.call(customer(clientId), `GET /bills/${placed.json.bill_id}`)).json).toMatchObject({ total: 50, payment_type: 3 });
    await expect(order({ bill_id: placed.json.bill_id })).rejects.toMatchObject({ code: 'duplicate', errors: [{ pointer: '/bill_id' }] });
    const { json: ofOther } = await shop.call(operator, 'POST /bills', { body: { payment_type: 1, client_id: other } });
    for (const bill_id of [ofOther.id_key, 999])
      await expect(order({ bill_id })).rejects.toMatchObject({ code: 'not_found', errors: [{ pointer: '/bill_id' }] });
    await expect(order({ bill_id: ofOther.id_key, bill: { payment_type: 1 } })).rejects.toMatchObject({ code: 'validation_failed' });
    await expect(order({ bill: { payment_type: 1, discount: 5 } })).rejects.toMatchObject({ errors: [{ pointer: '/bill/discount' }] });
    expect(await stockOf(shop, product_id)).toBe(7);
    await shop.call(customer(clientId), `POST /orders/${placed.json.id_key}/cancel`);
    expect((await shop.call(operator, `GET /bills/${placed.json.bill_id}`)).json).toMatchObject({ total: 0 });
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('get a discount from an operator alone, never below nothing, and go only while no order refers to them', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const product_id = await addProduct(shop, { stock: 9, price: 25 });
    const made = { payment_type: 1, client_id: clientId, discount: 30 };
    await expect(shop.call(customer(clientId), 'POST /bills', { body: made })).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/discount' }],
    });
    const { json: bill } = await shop.call(operator, 'POST /bills', { body: made });
    const id = await emptyOrder(shop, clientId, { bill_id: bill.id_key, lines: [{ product_id, quantity: 1 }] });
    const read = async () => (await shop.call(operator, `GET /bills/${bill.id_key}`)).json;
    expect(await read()).toMatchObject({ discount: 30, total: 0 });
    expect((await shop.call(operator, `PUT /bills/${bill.id_key}`, { body: { discount: 0.01, total: 7 } })).json.total).toBe(24.99);
    await expect(shop.call(operator, `DELETE /bills/${bill.id_key}`)).rejects.toMatchObject({ code: 'in_use' });
    await shop.call(operator, `DELETE /orders/${id}`);
    expect((await shop.call(operator, `DELETE /bills/${bill.id_key}`)).status).toBe(204);
    const stranger = customer(await addClient(shop));
    const { json: another } = await shop.call(customer(clientId), 'POST /bills', { body: { ...made, discount: 0 } });
    await expect(shop.call(stranger, `GET /bills/${another.id_key}`)).rejects.toMatchObject({ code: 'not_found' });
    expect((await shop.call(stranger, 'GET /bills')).json).toEqual([]);
  });
});

/** How often somebody waits for the database from now on: what is sent after an answer has come begins another round trip. */
function countRoundTrips(): () => number {
  const { query } = Client.prototype as unknown as { query: (...given: unknown[]) => Promise<unknown> | undefined };
  let [count, hasAnswered] = [0, true];
  const note = (): void => void (hasAnswered = true);
  const spy = vi.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...given: unknown[]) {
    if (hasAnswered) count += 1;
    hasAnswered = false;
    const answer = query.apply(this, given);
    answer?.then(note, note);
    return answer;
  });
  onTestFinished(() => spy.mockRestore());
  return () => count;
}
