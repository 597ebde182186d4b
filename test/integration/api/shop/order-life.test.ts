import { describe, expect } from 'vitest';
import { test } from '#test/support/migrated-database.ts';
import { addClient, addProduct, brokenInvariants, customer, openShop, operator, stockOf, type Shop } from './shop.ts';

type Placed = { readonly id: number; readonly line: number; readonly product: number; readonly owner: ReturnType<typeof customer> };

/** An order of 4 pieces at 10.00, of a product of which 6 are left. */
async function place(shop: Shop, more: object = {}): Promise<Placed> {
  const [client, product] = [await addClient(shop), await addProduct(shop, { stock: 10, price: 10 })];
  const body = { client_id: client, delivery_method: 1, lines: [{ product_id: product, quantity: 4 }], ...more };
  const { json } = await shop.call(customer(client), 'POST /orders', { body });
  return { id: json.id_key, line: json.lines[0].id_key, product, owner: customer(client) };
}

const illegal = (status: number, allowed: number[]) => ({
  code: 'illegal_transition',
  extensions: { order_status: status, allowed_status: allowed },
});

describe('an order', () => {
  test('goes from pending to in progress to delivered, and nowhere else; each step is on record', async ({ db }) => {
    const shop = openShop(db);
    const { id, owner } = await place(shop);
    const to = (status: number | string) => shop.call(operator, `PUT /orders/${id}`, { body: { status } });
    await expect(to(3)).rejects.toMatchObject(illegal(1, [2, 4]));
    expect((await to('2')).json).toMatchObject({ status: 2, version: 2 });
    await expect(to(1)).rejects.toMatchObject(illegal(2, [3, 4]));
    expect((await to(3)).json).toMatchObject({ status: 3, version: 3 });
    for (const status of [1, 2, 4]) await expect(to(status)).rejects.toMatchObject(illegal(3, []));
    await expect(shop.call(owner, `POST /orders/${id}/cancel`)).rejects.toMatchObject(illegal(3, []));
    const events = await shop.call(owner, `GET /orders/${id}/events`);
    expect(events.json).toMatchObject([
      { event: 'status', status_before: 1, status: 2, caused_by: 'operator' },
      { event: 'status', status_before: 2, status: 3, caused_by: 'operator' },
    ]);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('canceled returns its stock once, whoever cancels and however often', async ({ db }) => {
    const shop = openShop(db);
    const { id, product, owner } = await place(shop);
    const tries = Array.from({ length: 8 }, (_, index) =>
      index % 2 === 0
        ? shop.call(owner, `POST /orders/${id}/cancel`)
        : shop.call(operator, `PUT /orders/${id}`, { body: { status: 4 }, ifMatch: 1 }),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await stockOf(shop, product)).toBe(10);
    expect((await shop.call(owner, `GET /orders/${id}`)).json).toMatchObject({ status: 4, total: 40 });
    expect((await shop.call(owner, `GET /orders/${id}/events`)).json).toHaveLength(1);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('canceled with a key answers the same again', async ({ db }) => {
    const shop = openShop(db);
    const { id, owner, product } = await place(shop);
    const first = await shop.call(owner, `POST /orders/${id}/cancel`, { key: 'cancel-once' });
    const again = await shop.call(owner, `POST /orders/${id}/cancel`, { key: 'cancel-once' });
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(await stockOf(shop, product)).toBe(10);
  });

  test('raced by a cancel and a delivery ends in one of them, with the stock of that', async ({ db }) => {
    const shop = openShop(db);
    for (let round = 0; round < 5; round += 1) {
      const { id, product, owner } = await place(shop);
      await shop.call(operator, `PUT /orders/${id}`, { body: { status: 2 } });
      await Promise.allSettled([
        shop.call(owner, `POST /orders/${id}/cancel`),
        shop.call(operator, `PUT /orders/${id}`, { body: { status: 3 } }),
      ]);
      const { status } = (await shop.call(owner, `GET /orders/${id}`)).json;
      expect([3, 4]).toContain(status);
      expect(await stockOf(shop, product)).toBe(status === 4 ? 10 : 6);
    }
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('is its client’s to cancel, and an operator’s to move on; another’s does not exist', async ({ db }) => {
    const shop = openShop(db);
    const { id, owner } = await place(shop);
    const stranger = customer(await addClient(shop));
    await expect(shop.call(owner, `PUT /orders/${id}`, { body: { status: 2 } })).rejects.toMatchObject({ code: 'forbidden' });
    for (const request of [`POST /orders/${id}/cancel`, `GET /orders/${id}/events`])
      await expect(shop.call(stranger, request)).rejects.toMatchObject({ code: 'not_found' });
    await expect(shop.call(stranger, `PUT /orders/${id}`, { body: { status: 4 } })).rejects.toMatchObject({ code: 'not_found' });
    const changed = await shop.call(owner, `PUT /orders/${id}`, { body: { delivery_method: '3', total: 0, date: 'x' }, ifMatch: 1 });
    expect(changed.json).toMatchObject({ delivery_method: 3, total: 40, version: 2 });
    await expect(shop.call(owner, `PUT /orders/${id}`, { body: { client_id: 999 } })).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/client_id' }],
    });
    await shop.call(operator, `PUT /orders/${id}`, { body: { status: 2 } });
    await expect(shop.call(owner, `PUT /orders/${id}`, { body: { delivery_method: 1 } })).rejects.toMatchObject(illegal(2, [3, 4]));
    expect((await shop.call(owner, `PUT /orders/${id}`, { body: { status: 4 } })).json.status).toBe(4);
  });

  test('deleted returns what it held, and only while it is pending or canceled', async ({ db }) => {
    const shop = openShop(db);
    const [held, sent] = [await place(shop), await place(shop)];
    expect((await shop.call(operator, `DELETE /orders/${held.id}`)).status).toBe(204);
    expect(await stockOf(shop, held.product)).toBe(10);
    await expect(shop.call(operator, `GET /orders/${held.id}`)).rejects.toMatchObject({ code: 'not_found' });
    await shop.call(operator, `PUT /orders/${sent.id}`, { body: { status: 2 } });
    await expect(shop.call(operator, `DELETE /orders/${sent.id}`)).rejects.toMatchObject(illegal(2, [3, 4]));
    await shop.call(operator, `POST /orders/${sent.id}/cancel`);
    expect((await shop.call(operator, `DELETE /orders/${sent.id}`)).status).toBe(204);
    expect(await stockOf(shop, sent.product)).toBe(10);
    expect(await brokenInvariants(shop)).toEqual([]);
  });
});

const refund = (shop: Shop, id: number, line_id: number, quantity: number, more: object = {}): ReturnType<Shop['call']> =>
  shop.call(operator, `POST /orders/${id}/refunds`, { body: { lines: [{ line_id, quantity }], ...more } });

describe('a refund', () => {
  test('takes pieces back, never more than were sold; canceling then returns the rest', async ({ db }) => {
    const shop = openShop(db);
    const { id, line, product } = await place(shop);
    await expect(refund(shop, id, line, 1)).rejects.toMatchObject(illegal(1, [2, 4]));
    await shop.call(operator, `PUT /orders/${id}`, { body: { status: 2 } });
    expect((await refund(shop, id, line, 1)).json).toMatchObject({ status: 2, total: 40, refunded: 10 });
    expect((await refund(shop, id, line, 2, { restock: false })).json.refunded).toBe(30);
    expect(await stockOf(shop, product)).toBe(7);
    await expect(refund(shop, id, line, 2)).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/lines/0/quantity' }],
    });
    await expect(refund(shop, id, line + 1, 1)).rejects.toMatchObject({ code: 'not_found', errors: [{ pointer: '/lines/0/line_id' }] });
    expect((await shop.call(operator, `GET /order_details/${line}`)).json).toMatchObject({ quantity: 4, returned: 3 });
    await shop.call(operator, `POST /orders/${id}/cancel`);
    expect(await stockOf(shop, product)).toBe(8);
    await expect(refund(shop, id, line, 1)).rejects.toMatchObject(illegal(4, []));
    expect((await shop.call(operator, `GET /orders/${id}/events`)).json).toMatchObject([
      { event: 'status', status: 2 },
      { event: 'refund', refunded: 10 },
      { event: 'refund', refunded: 20 },
      { event: 'status', status: 4 },
    ]);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('asked for by many at once gives back what was sold and no more', async ({ db }) => {
    const shop = openShop(db);
    const { id, line, product } = await place(shop);
    await shop.call(operator, `PUT /orders/${id}`, { body: { status: 2 } });
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => refund(shop, id, line, 1)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    expect(await stockOf(shop, product)).toBe(10);
    expect((await shop.call(operator, `GET /orders/${id}`)).json.refunded).toBe(40);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('pays back no more than was billed', async ({ db }) => {
    const shop = openShop(db);
    const { id, line } = await place(shop);
    const { json: bill } = await shop.call(operator, 'POST /bills', {
      body: { payment_type: 2, discount: 15, client_id: (await shop.call(operator, `GET /orders/${id}`)).json.client_id },
    });
    await shop.call(operator, `PUT /orders/${id}`, { body: { bill_id: bill.id_key } });
    await shop.call(operator, `PUT /orders/${id}`, { body: { status: 2 } });
    expect((await refund(shop, id, line, 2)).json.refunded).toBe(20);
    expect((await refund(shop, id, line, 2)).json.refunded).toBe(25);
  });
});
