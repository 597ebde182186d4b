import { describe, expect } from 'vitest';
import { createApiKeys } from '#api/auth/api-keys.ts';
import { anonymous, type Principal } from '#api/auth/principal.ts';
import { test } from '#test/support/migrated-database.ts';
import { addClient, customer, openShop, operator, type Shop } from './shop.ts';

const ada = { name: 'Ada', lastname: 'Lovelace', email: 'Ada@Example.com', telephone: '+34600111222', password: 'analytical engine' };

const register = async ({ call }: Shop, body: object = ada): Promise<{ id_key: number }> =>
  (await call(anonymous, 'POST /clients', { body })).json as { id_key: number };

async function loadtestPrincipal({ pool }: Shop, name: string): Promise<Principal> {
  const apiKeys = createApiKeys(pool);
  const { key } = await apiKeys.create('loadtest', name);
  return (await apiKeys.authenticate(key)) as Principal;
}

describe('clients', () => {
  test('register and log in; nothing ever shows the password or its hash', async ({ db }) => {
    const shop = openShop(db);
    const made = await shop.call(anonymous, 'POST /clients', { body: ada });
    const { password: _password, ...publicAda } = ada;
    expect(made.json).toEqual({ id_key: made.json.id_key, ...publicAda, version: 1 });

    const credentials = { email: 'ada@EXAMPLE.com', password: ada.password };
    const { json: session } = await shop.call(anonymous, 'POST /clients/login', { body: credentials });
    expect(session).toMatchObject({ id_key: made.json.id_key, name: 'Ada', token_type: 'Bearer', expires_in: 60 });
    expect(await shop.services.tokens.verify(session.access_token as string)).toMatchObject(customer(made.json.id_key as number));

    const answers = [made, await shop.call(operator, 'GET /clients'), await shop.call(operator, `GET /clients/${made.json.id_key}`)];
    expect(answers.map(({ text }) => text).join('')).not.toMatch(/password|scrypt|analytical/);
    const { rows } = await db.pool.query<{ password_hash: string }>('SELECT password_hash FROM clients');
    expect(rows[0]?.password_hash).toMatch(/^\$scrypt\$/);
  });

  test('see of all clients themselves alone, and nobody once they are deleted; an operator sees all', async ({ db }) => {
    const shop = openShop(db);
    const [first, second, third] = [await addClient(shop), await addClient(shop), await addClient(shop)];
    const seenBy = async (who: Principal, query: Record<string, string> = {}): Promise<unknown[]> => {
      const { json } = await shop.call(who, 'GET /clients', { query });
      return (json as unknown as { id_key: number }[]).map(({ id_key }) => id_key);
    };
    // Together they are one question to the database.
    expect(await Promise.all([customer(first), customer(third), operator].map((who) => seenBy(who)))).toEqual([
      [first],
      [third],
      [first, second, third],
    ]);
    expect(await seenBy(customer(second), { skip: '1' })).toEqual([]);
    await db.pool.query('UPDATE clients SET deleted_at = now() WHERE id_key = $1', [second]);
    expect([await seenBy(customer(second)), await seenBy(operator)]).toEqual([[], [first, third]]);
  });

  test('are refused alike with a wrong password and with an unknown address', async ({ db }) => {
    const shop = openShop(db);
    await register(shop);
    const attempt = (email: string, password: string) =>
      shop.call(anonymous, 'POST /clients/login', { body: { email, password } }).then(
        () => undefined,
        (err: { code: string; message: string }) => ({ code: err.code, message: err.message }),
      );
    const wrong = await attempt(ada.email, 'wrong');
    expect(wrong?.code).toBe('unauthenticated');
    expect(await attempt('nobody@example.com', ada.password)).toEqual(wrong);
  });

  test('have one account for an address, whatever its case', async ({ db }) => {
    const shop = openShop(db);
    const { id_key } = await register(shop);
    const bobId = await addClient(shop);
    const duplicate = { code: 'duplicate', errors: [{ pointer: '/email' }] };
    await expect(register(shop, { ...ada, email: 'ADA@example.COM' })).rejects.toMatchObject(duplicate);
    await expect(shop.call(operator, `PUT /clients/${bobId}`, { body: { email: 'ada@example.com' } })).rejects.toMatchObject(duplicate);
    expect((await shop.call(operator, `PUT /clients/${id_key}`, { body: { email: 'ada@example.com' } })).json.email).toBe(
      'ada@example.com',
    );
  });

  test('need a password, unless a load test makes them', async ({ db }) => {
    const shop = openShop(db);
    const { password: _password, ...withoutPassword } = ada;
    const missing = { code: 'validation_failed', errors: [{ pointer: '/password', message: 'is required' }] };
    await expect(register(shop, withoutPassword)).rejects.toMatchObject(missing);
    await expect(shop.call(operator, 'POST /clients', { body: withoutPassword })).rejects.toMatchObject(missing);
    const { json } = await shop.call(await loadtestPrincipal(shop, 'x'), 'POST /clients', { body: withoutPassword });
    expect(json).toMatchObject({ email: ada.email, token_type: 'Bearer', expires_in: 60 });
    expect(await shop.services.tokens.verify(json.access_token as string)).toEqual({
      kind: 'customer',
      clientId: json.id_key,
      quota: 'loadtest',
    });
    // Nobody logs in to an account without a password.
    await expect(shop.call(anonymous, 'POST /clients/login', { body: { email: ada.email, password: 'null' } })).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  test('see and change themselves; for others they do not exist', async ({ db }) => {
    const shop = openShop(db);
    const [adaId, bobId] = [await addClient(shop), await addClient(shop)];
    const changed = await shop.call(customer(adaId), `PUT /clients/${adaId}`, { body: { telephone: null, name: 'Augusta' }, ifMatch: 1 });
    expect(changed.json).toMatchObject({ name: 'Augusta', lastname: 'Buyer', telephone: null, version: 2 });
    expect((await shop.call(customer(adaId), `GET /clients/${adaId}`)).json).toEqual(changed.json);
    const attempts = [`GET /clients/${bobId}`, `PUT /clients/${bobId}`, `DELETE /clients/${bobId}`].map((request) =>
      shop.call(customer(adaId), request, { body: request.startsWith('PUT') ? { name: 'x' } : undefined }),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code)).toEqual(
      attempts.map(() => 'not_found'),
    );
    expect((await shop.call(operator, `GET /clients/${bobId}`)).json.name).toBe('Ada');
  });

  test('that are deleted leave nothing personal, no way in, their orders, and a free address', async ({ db }) => {
    const shop = openShop(db);
    const { id_key } = await register(shop);
    const { json: session } = await shop.call(anonymous, 'POST /clients/login', { body: { email: ada.email, password: ada.password } });
    expect(await shop.services.tokens.verify(session.access_token as string)).toBeDefined();
    await shop.call(customer(id_key), 'POST /orders', { body: { client_id: id_key, delivery_method: 1 } });
    await expect(shop.call(customer(id_key), `DELETE /clients/${id_key}`, { ifMatch: 5 })).rejects.toMatchObject({
      code: 'version_mismatch',
    });

    expect((await shop.call(customer(id_key), `DELETE /clients/${id_key}`)).status).toBe(204);
    expect(await shop.services.tokens.verify(session.access_token as string)).toBeUndefined();
    const { rows } = await db.pool.query('SELECT * FROM clients');
    expect(JSON.stringify(rows)).not.toMatch(/ada|lovelace|34600/i);
    await expect(shop.call(anonymous, 'POST /clients/login', { body: { email: ada.email, password: ada.password } })).rejects.toMatchObject(
      {
        code: 'unauthenticated',
      },
    );
    const gone = [`GET /clients/${id_key}`, `DELETE /clients/${id_key}`].map((request) => shop.call(operator, request));
    expect((await Promise.allSettled(gone)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await shop.call(operator, 'GET /clients')).json).toEqual([]);
    expect((await shop.call(operator, 'GET /orders')).json).toHaveLength(1);
    expect((await register(shop)).id_key).not.toBe(id_key);
  });

  test('made by a load test may be deleted by that load test and no other', async ({ db }) => {
    const shop = openShop(db);
    const [mine, other] = [await loadtestPrincipal(shop, 'mine'), await loadtestPrincipal(shop, 'other')];
    const { json } = await shop.call(mine, 'POST /clients', { body: { name: 'A', lastname: 'B', email: 'a@example.com' } });
    const realId = await addClient(shop);
    await expect(shop.call(other, `DELETE /clients/${json.id_key}`)).rejects.toMatchObject({ code: 'not_found' });
    await expect(shop.call(mine, `DELETE /clients/${realId}`)).rejects.toMatchObject({ code: 'not_found' });
    expect((await shop.call(mine, `DELETE /clients/${json.id_key}`)).status).toBe(204);
  });
});
