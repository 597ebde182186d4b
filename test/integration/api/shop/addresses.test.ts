import { describe, expect } from 'vitest';
import { test } from '#test/support/migrated-database.ts';
import { addClient, customer, openShop, operator, versionTag, whileHeld, type Answer } from './shop.ts';

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
    expect((await shop.call(mine, `GET ${path}`)).text).toBe(changed.text);
    await expect(shop.call(mine, `DELETE ${path}`, { ifMatch: 1 })).rejects.toMatchObject({ code: 'version_mismatch' });
    expect((await shop.call(mine, `DELETE ${path}`, { ifMatch: 2 })).status).toBe(204);
    await expect(shop.call(mine, `GET ${path}`)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('made with a key answer as without one, once for five that come at the same time, and go with their client', async ({ db }) => {
    const shop = openShop(db);
    const clientId = await addClient(shop);
    const mine = customer(clientId);
    const body = { street: 'Calle "Ancha" \\ ñ', city: null, client_id: clientId };
    const make = (key?: string) => shop.call(mine, 'POST /addresses', { body, ...(key !== undefined && { key }) });
    const five = () => Promise.all(Array.from({ length: 5 }, () => make('k')));
    const answers = (await whileHeld(db, `UPDATE clients SET version = version + 1 WHERE id_key = ${clientId}`, five, 5)) as Answer[];
    expect(answers).toHaveLength(5);
    const [first] = answers.filter(({ headers }) => !('Idempotency-Replayed' in headers));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([first?.text]));
    const keyless = await make();
    expect(keyless.json).toEqual({ ...first?.json, id_key: keyless.json.id_key });
    expect(keyless.headers['ETag']).toBe(first?.headers['ETag']);
    expect((await shop.call(mine, 'GET /addresses')).text).toBe(`[${first?.text},${keyless.text}]`);
    await shop.call(operator, `DELETE /clients/${clientId}`);
    await expect(make('other')).rejects.toMatchObject({ code: 'not_found', errors: [{ pointer: '/client_id' }] });
    expect((await db.pool.query('SELECT FROM idempotency_keys')).rows).toEqual([]);
  });

  test('changed by 20 at the same time take in every change, and one of those from the same version', async ({ db }) => {
    const shop = openShop(db);
    const { json } = await shop.call(operator, 'POST /addresses', { body: { city: 'Ávila', client_id: await addClient(shop) } });
    const path = `/addresses/${json.id_key}`;
    const change = (ifMatch?: number) =>
      shop.call(operator, `PUT ${path}`, { body: { number: '1' }, ...(ifMatch !== undefined && { ifMatch }) });
    const changed = await Promise.all(Array.from({ length: 20 }, () => change()));
    expect(changed.map((answer) => answer.json.version as number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 2),
    );
    const guarded = await Promise.allSettled(Array.from({ length: 20 }, () => change(21)));
    expect(guarded.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await shop.call(operator, `GET ${path}`)).json).toEqual({ ...json, number: '1', version: 22 });
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
