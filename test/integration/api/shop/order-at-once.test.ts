import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { test } from '#test/support/migrated-database.ts';
import { addClient, addProduct, brokenInvariants, openShop, operator, stockOf, whileHeld, type Answer, type Shop } from './shop.ts';

/** An order with a key is one statement, in which SQL decides; without one, `price-order` decides. They must not differ. */

type Line = { readonly product_id: number; readonly quantity: number };
type Wanted = { readonly client_id: number; readonly lines: readonly Line[]; readonly total?: number | undefined };

const place = (shop: Shop, { total, ...wanted }: Wanted, key?: string): Promise<Answer> =>
  shop.call(operator, 'POST /orders', {
    body: { ...wanted, delivery_method: 1, ...(total !== undefined && { total }) },
    ...(key !== undefined && { key }),
  });

/** What came of it, without the ids that differ anyway. */
async function outcomeOf(answer: Promise<Answer>): Promise<unknown> {
  try {
    const { status, json, headers } = await answer;
    const lines = json.lines.map(({ product_name, quantity, price }: Record<string, unknown>) => ({ product_name, quantity, price }));
    return { status, etag: headers['ETag'], total: json.total, lines };
  } catch (err) {
    const { code, errors, extensions } = err as { code?: string; errors?: unknown; extensions?: { products?: object[] } };
    const { products, ...others } = extensions ?? {};
    return { code, errors, ...others, products: products?.map((one) => ({ ...one, product_id: undefined })) };
  }
}

describe('an order with a key', () => {
  test('ends as one without: placed or refused for the same reason, at the same prices, for any cart, stock and total', async ({ db }) => {
    const shop = openShop(db);
    const client_id = await addClient(shop);
    const shelves = await Promise.all(
      [0, 1].map(() => Promise.all([3, 8, 40].map((stock, index) => addProduct(shop, { stock, price: (index + 1) * 9.99 })))),
    );
    const [keyed = [], keyless = []] = shelves;
    const unknown = 999_999_999;
    const cart = fc.array(fc.record({ index: fc.nat(3), quantity: fc.integer({ min: 1, max: 4 }) }), { minLength: 1, maxLength: 4 });
    const off = fc.option(fc.constantFrom(0, 0.01, -0.01), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(cart, off, async (wanted, offBy) => {
        const total = wanted.reduce((sum, { index, quantity }) => sum + quantity * (index + 1) * 999, 0) / 100;
        const from = (ids: readonly number[]): Wanted => ({
          client_id,
          lines: wanted.map(({ index, quantity }) => ({ product_id: ids[index] ?? unknown, quantity })),
          total: offBy === undefined ? undefined : Number((total + offBy).toFixed(2)),
        });
        const ends = [await outcomeOf(place(shop, from(keyed), randomUUID())), await outcomeOf(place(shop, from(keyless)))];
        expect(ends[0]).toEqual(ends[1]);
        const stocks = await Promise.all([...keyed, ...keyless].map((id) => stockOf(shop, id)));
        expect(stocks.slice(0, 3)).toEqual(stocks.slice(3));
        expect(await brokenInvariants(shop)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('is answered again as the first time, byte for byte, when all is sold meanwhile', async ({ db }) => {
    const shop = openShop(db);
    const [client_id, product_id] = [await addClient(shop), await addProduct(shop, { stock: 2, name: 'Lamp "Noche" \\ ñ' })];
    const wanted = { client_id, lines: [{ product_id, quantity: 2 }] };
    const first = await place(shop, wanted, 'k');
    const again = await place(shop, wanted, 'k');
    expect(again.text).toBe(first.text);
    expect(again.headers).toEqual({ ...first.headers, 'Idempotency-Replayed': 'true' });
    await expect(place(shop, { ...wanted, lines: [{ product_id, quantity: 1 }] }, 'k')).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
    await expect(place(shop, wanted, 'other')).rejects.toMatchObject({ code: 'insufficient_stock' });
    await shop.pool.query(`UPDATE idempotency_keys SET created_at = now() - interval '25 hours'; UPDATE products SET stock = 0`);
    await expect(place(shop, wanted, 'k')).rejects.toMatchObject({ code: 'insufficient_stock' });
  });

  test('waits for a change of its client, and is placed, or not when the client is deleted by it', async ({ db }) => {
    const shop = openShop(db);
    const product_id = await addProduct(shop, { stock: 5 });
    for (const [change, code] of [
      ['version = version + 1', undefined],
      ['deleted_at = now()', 'not_found'],
    ] as const) {
      const wanted = { client_id: await addClient(shop), lines: [{ product_id, quantity: 1 }] };
      const placed = await whileHeld(db, `UPDATE clients SET ${change} WHERE id_key = ${wanted.client_id}`, () =>
        place(shop, wanted, code ?? 'placed'),
      );
      expect(placed).toMatchObject(code === undefined ? { status: 201 } : { code });
    }
    expect(await stockOf(shop, product_id)).toBe(4);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('sees the price and the stock that were changed while it waited for its products', async ({ db }) => {
    const shop = openShop(db);
    const [client_id, product_id] = [await addClient(shop), await addProduct(shop, { stock: 5, price: 10 })];
    const wanted = { client_id, lines: [{ product_id, quantity: 2 }] };
    const dearer = `UPDATE products SET price_cents = 1250 WHERE id_key = ${product_id}`;
    expect(await whileHeld(db, dearer, () => place(shop, wanted, 'a'))).toMatchObject({ status: 201, json: { total: 25 } });
    const sold = `WITH sold AS (UPDATE products SET stock = 1 WHERE id_key = ${product_id})
      INSERT INTO stock_movements (product_id, quantity, reason) VALUES (${product_id}, -2, 'adjustment')`;
    expect(await whileHeld(db, sold, () => place(shop, wanted, 'b'))).toMatchObject({ code: 'insufficient_stock' });
    expect(await brokenInvariants(shop)).toEqual([]);
  });
});
