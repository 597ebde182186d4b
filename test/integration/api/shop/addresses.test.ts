import { describe, expect } from 'vitest';
import { test } from '#test/support/migrated-database.ts';
import { addClient, customer, openShop, operator, versionTag } from './shop.ts';

describe('addresses', () => {
  test('answer alike when made, read, listed and changed', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const mine = customer(clientId);
    const body = { street: 'Calle Mayor', number: '12 B', city: 'Ávila', client_id: clientId };
    const made = await shop.call(mine, 'POST /addresses', { body });
    expect([made.status, made.json]).toEqual([201, { ...body, id_key: made.json.id_key, version: 1 }]);
    expect(made.headers).toEqual({ Location: `/api/v1/addresses/${made.json.id_key}`, ETag: versionTag(1) });
    const path = `/addresses/${made.json.id_key}`;
    expect((await shop.call(mine, `GET ${path}`)).text).toBe(made.text);
    for (const who of [mine, operator]) expect((await shop.call(who, 'GET /addresses')).text).toBe(`[${made.text}]`);
    const changed = await shop.call(mine, `PUT ${path}`, { body: { number: null, client_id: clientId }, ifMatch: 1 });
    expect(changed.json).toEqual({ ...made.json, number: null, version: 2 });
    await expect(shop.call(mine, `DELETE ${path}`, { ifMatch: 1 })).rejects.toMatchObject({ code: 'version_mismatch' });
    expect((await shop.call(mine, `DELETE ${path}`, { ifMatch: 2 })).status).toBe(204);
    await expect(shop.call(mine, `GET ${path}`)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('of others can be neither seen, changed, deleted nor given away', async ({ db }) => {
    const shop = openShop(db);
    const [ada, bob] = [await addClient(shop), await addClient(shop)];
    const { json } = await shop.call(operator, 'POST /addresses', { body: { city: 'Ávila', client_id: ada } });
    const path = `/addresses/${json.id_key}`;
    for (const request of [`GET ${path}`, `PUT ${path}`, `DELETE ${path}`]) {
      const options = request.startsWith('PUT') ? { body: { city: 'Soria' } } : {};
      await expect(shop.call(customer(bob), request, options)).rejects.toMatchObject({ code: 'not_found' });
    }
    await expect(shop.call(customer(bob), 'GET /addresses', { query: { client_id: String(ada) } })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect((await shop.call(customer(bob), 'GET /addresses')).json).toEqual([]);
    const ofBob = { city: 'Soria', client_id: bob };
    await expect(shop.call(customer(ada), 'POST /addresses', { body: ofBob })).rejects.toMatchObject({ code: 'not_found' });
    await expect(shop.call(customer(ada), `PUT ${path}`, { body: ofBob })).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/client_id' }],
    });
    const seen = await shop.call(operator, 'GET /addresses', { query: { client_id: String(ada) } });
    expect(seen.json).toEqual([json]);
  });

  test('are erased with their client, and with the answers kept of them', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const key = 'an-address-once';
    const body = { street: 'Calle del Olvido', client_id: clientId };
    await shop.call(operator, 'POST /addresses', { body, key });
    await shop.call(operator, `DELETE /clients/${clientId}`);
    expect((await shop.call(operator, 'GET /addresses')).json).toEqual([]);
    const { rows } = await db.pool.query(`SELECT body FROM idempotency_keys WHERE body LIKE '%Olvido%'`);
    expect(rows).toEqual([]);
    await expect(shop.call(operator, 'POST /addresses', { body, key })).rejects.toMatchObject({ code: 'gone' });
    await expect(shop.call(operator, 'POST /addresses', { body })).rejects.toMatchObject({
      code: 'not_found',
      errors: [{ pointer: '/client_id' }],
    });
  });
});
