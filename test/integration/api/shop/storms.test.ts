import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { test } from '#test/support/migrated-database.ts';
import { addClient, addProduct, brokenInvariants, openShop, operator, stockOf, type Answer, type Shop } from './shop.ts';

type Line = { readonly product_id: number; readonly quantity: number };
const placeBy = (shop: Shop, client_id: number, lines: readonly Line[], key?: string): Promise<Answer> =>
  shop.call(operator, 'POST /orders', { body: { client_id, delivery_method: 1, lines }, ...(key !== undefined && { key }) });

const codeOf = (outcome: PromiseSettledResult<Answer>): unknown =>
  outcome.status === 'fulfilled' ? outcome.value.status : (outcome.reason as { code?: unknown }).code;

function tally(outcomes: readonly PromiseSettledResult<Answer>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[String(codeOf(outcome))] = (counts[String(codeOf(outcome))] ?? 0) + 1;
  return counts;
}

describe('under a storm', () => {
  test('300 buyers of the last 50 pieces get exactly 50', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const productId = await addProduct(shop, { stock: 50 });
    const buyers = Array.from({ length: 300 }, () => placeBy(shop, clientId, [{ product_id: productId, quantity: 1 }]));
    expect(tally(await Promise.allSettled(buyers))).toEqual({ 201: 50, insufficient_stock: 250 });
    expect(await stockOf(shop, productId)).toBe(0);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('carts with the same products in opposite order never deadlock, nor oversell', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const ids = await Promise.all(Array.from({ length: 6 }, () => addProduct(shop, { stock: 40 })));
    const cart = (index: number): Line[] => {
      const rotated = [...ids.slice(index % ids.length), ...ids.slice(0, index % ids.length)];
      const ordered = index % 2 === 0 ? rotated : rotated.toReversed();
      // The first product stands on two lines.
      return [...ordered, ordered[0] as number].map((product_id) => ({ product_id, quantity: 1 }));
    };
    const outcomes = await Promise.allSettled(Array.from({ length: 120 }, (_, index) => placeBy(shop, clientId, cart(index))));
    const counts = tally(outcomes);
    expect(Object.keys(counts).toSorted()).toEqual(['201', 'insufficient_stock']);
    // A cart takes 7 pieces of 240.
    expect(counts['201']).toBeLessThanOrEqual(34);
    expect(counts['201']).toBeGreaterThan(25);
    expect(await brokenInvariants(shop)).toEqual([]);
  });

  test('one Idempotency-Key sent 50 times at once makes one order', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const productId = await addProduct(shop, { stock: 50 });
    const repeats = await Promise.all(
      Array.from({ length: 50 }, () => placeBy(shop, clientId, [{ product_id: productId, quantity: 2 }], 'one-and-the-same')),
    );
    expect(new Set(repeats.map(({ text }) => text)).size).toBe(1);
    expect(repeats.filter(({ headers }) => headers['Idempotency-Replayed'] === undefined)).toHaveLength(1);
    expect(await stockOf(shop, productId)).toBe(48);
    expect((await shop.call(operator, 'GET /orders')).json).toHaveLength(1);
  });

  test('orders, counted stock and changed prices together leave ledger and totals right', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const ids = await Promise.all([addProduct(shop, { stock: 30 }), addProduct(shop, { stock: 10 }), addProduct(shop, { stock: 0 })]);
    const index = fc.nat(ids.length - 1);
    const line = fc.record({ index, quantity: fc.integer({ min: 1, max: 6 }) });
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.record({ lines: fc.array(line, { minLength: 1, maxLength: 4 }) }) },
      { weight: 1, arbitrary: fc.record({ index, stock: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ index, cents: fc.integer({ min: 1, max: 99_999 }) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 24 }), async (actions) => {
        const outcomes = await Promise.allSettled(
          actions.map((one) => {
            if ('lines' in one) {
              return placeBy(
                shop,
                clientId,
                one.lines.map((l) => ({ product_id: ids[l.index] as number, quantity: l.quantity })),
              );
            }
            const body = 'stock' in one ? { stock: one.stock } : { price: one.cents / 100 };
            return shop.call(operator, `PUT /products/${ids[one.index]}`, { body });
          }),
        );
        const expected: unknown[] = [200, 201, 'insufficient_stock'];
        expect(outcomes.map(codeOf).filter((code) => !expected.includes(code))).toEqual([]);
        expect(await brokenInvariants(shop)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});
