import { describe, expect } from 'vitest';
import { createApiKeys } from '#api/auth/api-keys.ts';
import { createDatabase } from '#api/db/tx.ts';
import { claimKey, runOnce } from '#api/http/idempotency.ts';
import { test } from '#test/support/migrated-database.ts';
import { addClient, addProduct, customer, openShop, operator, stockOf } from '../shop/shop.ts';

const claim = { principal: 'client:1', key: 'k', fingerprint: 'f' };

describe('an Idempotency-Key', () => {
  test('repeats the first answer, to the letter, and says that it is repeated', async ({ db }) => {
    const shop = openShop(db);
    const body = { name: 'Lamp', price: 9.9, stock: 3 };
    const first = await shop.call(operator, 'POST /products', { body, key: 'a' });
    const again = await shop.call(operator, 'POST /products', { body, key: 'a' });
    expect(again).toEqual({ ...first, headers: { ...first.headers, 'Idempotency-Replayed': 'true' } });
    expect((await shop.call(operator, 'GET /products')).json).toHaveLength(1);
  });

  test('with another request is refused', async ({ db }) => {
    const shop = openShop(db);
    await shop.call(operator, 'POST /categories', { body: { name: 'Books' }, key: 'a' });
    await expect(shop.call(operator, 'POST /categories', { body: { name: 'Toys' }, key: 'a' })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
    await expect(shop.call(operator, 'POST /products', { body: { name: 'Books', price: 1 }, key: 'a' })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
  });

  test('of one caller is not that of another', async ({ db }) => {
    const shop = openShop(db);
    const [ada, bob] = [await addClient(shop), await addClient(shop)];
    const order = (client_id: number) =>
      shop.call(customer(client_id), 'POST /orders', { body: { client_id, delivery_method: 1 }, key: 'a' });
    const [first, second] = [await order(ada), await order(bob)];
    expect([first.json.client_id, second.json.client_id]).toEqual([ada, bob]);
  });

  test('of a request that failed may be used again, and then counts', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const productId = await addProduct(shop, { stock: 0 });
    const order = () =>
      shop.call(operator, 'POST /orders', {
        body: { client_id: clientId, delivery_method: 1, lines: [{ product_id: productId, quantity: 1 }] },
        key: 'a',
      });
    await expect(order()).rejects.toMatchObject({ code: 'insufficient_stock' });
    await shop.call(operator, `PUT /products/${productId}`, { body: { stock: 5 } });
    const [placed, repeated] = [await order(), await order()];
    expect(repeated.text).toBe(placed.text);
    expect(await stockOf(shop, productId)).toBe(4);
  });

  test('is demanded on every POST that changes something where the settings say so', async ({ db }) => {
    const shop = openShop(db, { idempotencyRequired: true });
    const clientId = await addClient(shop);
    const person = { name: 'A', lastname: 'B', email: 'a@example.com', password: 'long enough' };
    const bodies = {
      'POST /orders': { client_id: clientId, delivery_method: 1 },
      'POST /products': { name: 'x', price: 1 },
      'POST /categories': { name: 'x' },
      'POST /clients': person,
    };
    const requests = Object.entries(bodies);
    const without = await Promise.allSettled(requests.map(([request, body]) => shop.call(operator, request, { body })));
    expect(without.map((outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code)).toEqual(
      requests.map(() => 'idempotency_key_invalid'),
    );
    const withKey = await Promise.all(
      requests.map(([request, body]) => shop.call(operator, request, { body, key: request.replace(' ', '') })),
    );
    expect(withKey.map(({ status }) => status)).toEqual(requests.map(() => 201));
  });

  test('whose first request is slow answers a second one with in flight, not with a second run', async ({ db }) => {
    const { transact } = createDatabase(db.pool);
    let runs = 0;
    await transact(
      (tx) =>
        runOnce(tx, claim, async () => {
          runs += 1;
          const second = transact(
            async (other) => {
              await other.query({ name: 'short-lock-timeout', text: `SET LOCAL lock_timeout = '50ms'` });
              return runOnce(other, claim, async () => ({ status: (runs += 1), headers: {} }));
            },
            { isOnce: true },
          );
          await expect(second).rejects.toMatchObject({ code: 'idempotency_in_flight' });
          return { status: 201, headers: {} };
        }),
      { isOnce: true },
    );
    expect(runs).toBe(1);
  });

  test('that was claimed without an answer, since the transaction it should have been part of never began, is free again', async ({
    db,
  }) => {
    await db.pool.query({ ...claimKey, values: [claim.principal, claim.key, claim.fingerprint] });
    const { transact } = createDatabase(db.pool);
    const answer = await transact((tx) => runOnce(tx, claim, async () => ({ status: 201, headers: {} })), { isOnce: true });
    expect(answer.status).toBe(201);
  });

  test('is forgotten after a day, and old ones are cleared away by new ones', async ({ db }) => {
    const { transact } = createDatabase(db.pool);
    const once = (key: string, status: number) =>
      transact((tx) => runOnce(tx, { ...claim, key }, async () => ({ status, headers: {}, body: `"${status}"` })), { isOnce: true });
    const age = () => db.pool.query(`UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'`);
    expect([(await once('a', 201)).status, (await once('a', 202)).status]).toEqual([201, 201]);
    await age();
    expect((await once('a', 202)).status).toBe(202);
    for (const key of ['b', 'c', 'd']) await once(key, 201);
    await age();
    await once('e', 201);
    await once('f', 201);
    const { rows } = await db.pool.query<{ key: string }>('SELECT key FROM idempotency_keys ORDER BY key');
    expect(rows.map(({ key }) => key)).toEqual(['e', 'f']);
  });

  test('never stores a token', async ({ db }) => {
    const shop = openShop(db);
    const loadtest = { kind: 'loadtest', keyId: (await createApiKeys(db.pool).create('loadtest', 'x')).id, name: 'x' } as const;
    const body = { name: 'A', lastname: 'B', email: 'a@example.com' };
    const [first, again] = [
      await shop.call(loadtest, 'POST /clients', { body, key: 'a' }),
      await shop.call(loadtest, 'POST /clients', { body, key: 'a' }),
    ];
    expect(again.json.id_key).toBe(first.json.id_key);
    const { clientId } = (await shop.services.tokens.verify(again.json.access_token as string)) as { clientId: number };
    expect(clientId).toBe(first.json.id_key);
    const { rows } = await db.pool.query<{ body: string }>('SELECT body FROM idempotency_keys');
    expect(rows.map((row) => row.body)).toEqual([expect.not.stringContaining('token')]);
  });
});
