import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { runOnce } from '#api/db/idempotent.ts';
import type { Session } from '#api/db/transaction.ts';
import { placeOrder } from '#api/shop/orders/place-order.ts';
import { readProduct } from '#api/shop/products/read-products.ts';
import { floorStatements } from '#bench/floor-statements.ts';

const product = { id_key: 1, name: 'Lamp', price_cents: 500, stock: 9, version: 1 };

/** Answers for a product that is there, a key that is new and an order that is recorded. */
const rowsFor: Readonly<Record<string, readonly unknown[]>> = {
  'idempotency-claim': [{ claimed: 1 }],
  'products-lock': [product],
  'order-record': [{ id_key: 7, date: new Date(0), status: 1, version: 1, line_ids: [1], taken: 1 }],
};

const words = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

test('the floor server of the bench runs the statements of an order, word for word and in the same order', async () => {
  const run: string[] = [];
  const session = {
    query: async ({ name, text }: { name: string; text: string }) => {
      run.push(words(text));
      return rowsFor[name] ?? [];
    },
  } as unknown as Session;
  const claim = { principal: 'client:1', key: 'k', fingerprint: 'f' };
  await runOnce(session, claim, async () => {
    await placeOrder(session, { client_id: 1, delivery_method: 1, lines: [{ product_id: 1, quantity: 2 }], total: undefined });
    return { status: 201 };
  });
  const { claim: claimed, lock, record, store } = floorStatements;
  expect(run).toEqual([claimed, lock, record, store].map(({ text }) => words(text)));
});

test('the floor server of the bench reads one product with the statement of the API', async () => {
  const run: string[] = [];
  const query = async ({ text }: { text: string }): Promise<{ rows: unknown[] }> => {
    run.push(words(text));
    return { rows: [product] };
  };
  await readProduct({ query } as unknown as Pool, 1);
  expect(run).toEqual([words(floorStatements.product.text)]);
});
