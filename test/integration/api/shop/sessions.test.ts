import { describe, expect } from 'vitest';
import { createActiveClients, createTokens } from '#api/auth/tokens.ts';
import { createDatabase } from '#api/db/tx.ts';
import { test } from '#test/support/migrated-database.ts';
import { anonymous, customer, openShop, operator, type Shop } from './shop.ts';

const password = 'analytical engine';

type Session = { readonly id: number; readonly access: string; readonly refresh: string };

async function register(shop: Shop, email = `ada-${crypto.randomUUID()}@example.com`): Promise<{ id: number; email: string }> {
  const { json } = await shop.call(anonymous, 'POST /clients', { body: { name: 'Ada', lastname: 'L', email, password } });
  return { id: json.id_key as number, email };
}

async function logIn(shop: Shop, email: string, secret = password): Promise<Session> {
  const { json } = await shop.call(anonymous, 'POST /clients/login', { body: { email, password: secret } });
  return { id: json.id_key, access: json.access_token, refresh: json.refresh_token };
}

async function refresh(shop: Shop, token: string): Promise<Session> {
  const { json } = await shop.call(anonymous, 'POST /clients/refresh', { body: { refresh_token: token } });
  return { id: json.id_key, access: json.access_token, refresh: json.refresh_token };
}

const prove = async ({ services }: Shop, { access }: Session) => services.tokens.verify(access);
const refused = { code: 'unauthenticated' };

/** As another process of the API sees it, which remembers nothing. */
const proveElsewhere = ({ pool }: Shop, { access }: Session) =>
  createTokens('a test secret of at least 32 characters', 60, createActiveClients(createDatabase(pool).read)).verify(access);

describe('a session', () => {
  test('is begun by logging in, and goes on by a refresh token that each use changes', async ({ db }) => {
    const shop = openShop(db);
    const { id, email } = await register(shop);
    const first = await logIn(shop, email);
    expect(await prove(shop, first)).toMatchObject({ kind: 'customer', clientId: id });
    const second = await refresh(shop, first.refresh);
    expect(second.refresh).not.toBe(first.refresh);
    expect(await prove(shop, second)).toEqual(await prove(shop, first));
    const third = await refresh(shop, second.refresh);
    expect((await refresh(shop, third.refresh)).id).toBe(id);
    for (const wrong of ['atr_1_x', `${first.refresh}x`, `atr_999_${'A'.repeat(43)}`, 'x'])
      await expect(refresh(shop, wrong)).rejects.toMatchObject(refused);
  });

  test('keeps no token: neither is found in the database', async ({ db }) => {
    const shop = openShop(db);
    const { email } = await register(shop);
    const { access, refresh: token } = await logIn(shop, email);
    const { rows } = await db.pool.query<{ text: string }>('SELECT sessions::text AS text FROM sessions');
    const secret = token.replace(/^atr_\d+_/, '');
    expect(rows).toHaveLength(1);
    for (const plain of [secret, Buffer.from(secret, 'base64url').toString('hex'), access]) expect(rows[0]?.text).not.toContain(plain);
  });

  test('forgives the token before for some seconds, in which an answer may have been lost', async ({ db }) => {
    const shop = openShop(db);
    const { email } = await register(shop);
    const { refresh: token } = await logIn(shop, email);
    const both = await Promise.all([refresh(shop, token), refresh(shop, token)]);
    expect(new Set(both.map((session) => session.refresh)).size).toBe(2);
    for (const session of both) expect(await prove(shop, session)).toBeDefined();
  });

  test('ends, for thief and owner alike, when a token is used again that was changed before', async ({ db }) => {
    const shop = openShop(db);
    const { email } = await register(shop);
    const [stolen, elsewhere] = [await logIn(shop, email), await logIn(shop, email)];
    const next = await refresh(shop, stolen.refresh);
    await db.pool.query(`UPDATE sessions SET refreshed_at = now() - interval '11 seconds'`);
    await expect(refresh(shop, stolen.refresh)).rejects.toMatchObject(refused);
    await expect(refresh(shop, next.refresh)).rejects.toMatchObject(refused);
    expect(await proveElsewhere(shop, next)).toBeUndefined();
    expect(await proveElsewhere(shop, elsewhere)).toBeDefined();
  });

  test('ends when it is not refreshed for as long as it may last', async ({ db }) => {
    const shop = openShop(db);
    const { email } = await register(shop);
    const session = await logIn(shop, email);
    await db.pool.query(`UPDATE sessions SET expires_at = now() - interval '1 second'`);
    await expect(refresh(shop, session.refresh)).rejects.toMatchObject(refused);
    expect(await proveElsewhere(shop, session)).toBeUndefined();
  });

  test('that was begun elsewhere a moment ago is seen by a process that remembers the others', async ({ db }) => {
    const shop = openShop(db);
    const { email } = await register(shop);
    const tokens = createTokens('a test secret of at least 32 characters', 60, createActiveClients(createDatabase(db.pool).read));
    expect(await tokens.verify((await logIn(shop, email)).access)).toBeDefined();
    expect(await tokens.verify((await logIn(shop, email)).access)).toBeDefined();
  });

  test('is looked for over two connections, of however many clients that come at once', async ({ db }) => {
    const { rows } = await db.pool.query<{ id: number }>(
      `INSERT INTO clients (name, lastname, email) SELECT 'Ada', 'L', 'ada-' || n || '@example.com' FROM generate_series(1, 200) n RETURNING id_key AS id`,
    );
    const clients = createActiveClients(createDatabase(db.pool).read);
    const isActive = (clientId: number) => clients.isActive({ kind: 'customer', clientId, quota: 'standard' }, Date.now());
    const found = await Promise.all([...rows.map(({ id }) => isActive(id)), isActive(999_999)]);
    expect(found).toEqual([...rows.map(() => true), false]);
    expect(db.pool.totalCount).toBeLessThanOrEqual(2);
  });

  test('makes room: of more than 20 the one idle for longest ends', async ({ db }) => {
    const shop = openShop(db);
    const { id, email } = await register(shop);
    const oldest = await logIn(shop, email);
    await db.pool.query(
      `INSERT INTO sessions (client_id, refresh_hash, refreshed_at, expires_at)
       SELECT $1, int4send(n), now() + n * interval '1 second', now() + interval '1 hour' FROM generate_series(1, 19) n`,
      [id],
    );
    await logIn(shop, email);
    const { rows } = await db.pool.query<{ count: number }>('SELECT count(*)::integer AS count FROM sessions');
    expect(rows).toEqual([{ count: 20 }]);
    await expect(refresh(shop, oldest.refresh)).rejects.toMatchObject(refused);
  });
});

describe('all sessions of a client', () => {
  test('end when they log out, at once here and soon elsewhere; nobody else may end them but an operator', async ({ db }) => {
    const shop = openShop(db);
    const [ada, bob] = [await register(shop), await register(shop)];
    const sessions = [await logIn(shop, ada.email), await logIn(shop, ada.email)];
    await expect(shop.call(customer(bob.id), `DELETE /clients/${ada.id}/sessions`)).rejects.toMatchObject({ code: 'not_found' });
    expect((await shop.call(customer(ada.id), `DELETE /clients/${ada.id}/sessions`)).status).toBe(204);
    for (const session of sessions) {
      expect(await prove(shop, session)).toBeUndefined();
      await expect(refresh(shop, session.refresh)).rejects.toMatchObject(refused);
    }
    const later = await logIn(shop, ada.email);
    await shop.call(operator, `DELETE /clients/${ada.id}/sessions`);
    expect(await prove(shop, later)).toBeUndefined();
  });

  test('but the one that asks end with another e-mail address, and all of them with the account', async ({ db }) => {
    const shop = openShop(db);
    const { id, email } = await register(shop);
    const [here, there] = [await logIn(shop, email), await logIn(shop, email)];
    const asked = (await prove(shop, here))!;
    await shop.call(asked, `PUT /clients/${id}`, { body: { name: 'Augusta' } });
    expect(await prove(shop, there)).toBeDefined();
    await shop.call(asked, `PUT /clients/${id}`, { body: { email: 'new@example.com', current_password: password } });
    expect([await prove(shop, here), await prove(shop, there)]).toEqual([asked, undefined]);
    await shop.call(asked, `DELETE /clients/${id}`);
    expect(await prove(shop, here)).toBeUndefined();
    expect((await db.pool.query('SELECT FROM sessions')).rowCount).toBe(0);
  });
});

describe('the e-mail address', () => {
  test('is changed by who knows the password, not by a token alone; sent back as it is, it needs none', async ({ db }) => {
    const shop = openShop(db);
    const { id, email } = await register(shop);
    const asked = (await prove(shop, await logIn(shop, email)))!;
    const change = (body: object, ifMatch?: number) =>
      shop.call(asked, `PUT /clients/${id}`, { body, ...(ifMatch !== undefined && { ifMatch }) });
    await expect(change({ email: 'new@example.com' })).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/current_password', message: 'is required for another e-mail address' }],
    });
    const wrong = change({ email: 'new@example.com', current_password: 'something else' });
    await expect(wrong).rejects.toMatchObject({ code: 'forbidden' });
    expect((await change({ email, name: 'Augusta' })).json).toMatchObject({ email, name: 'Augusta', version: 2 });
    const changed = await change({ email: 'new@example.com', current_password: password }, 2);
    expect(changed.json).toEqual({ id_key: id, name: 'Augusta', lastname: 'L', email: 'new@example.com', telephone: null, version: 3 });
    expect((await shop.call(operator, `PUT /clients/${id}`, { body: { email } })).json).toMatchObject({ email });
  });

  test('is not changed back by a form that was filled in before another had changed it', async ({ db }) => {
    const shop = openShop(db);
    const { id, email } = await register(shop);
    const asked = (await prove(shop, await logIn(shop, email)))!;
    const blocker = await db.pool.connect();
    await blocker.query('BEGIN');
    await blocker.query('UPDATE clients SET email = $2 WHERE id_key = $1', [id, 'new@example.com']);
    const stale = shop.call(asked, `PUT /clients/${id}`, { body: { email } }).catch((err: unknown) => err);
    const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(async () => (await db.pool.query(waits)).rowCount, { timeout: 10_000 }).toBe(1);
    await blocker.query('COMMIT');
    blocker.release();
    expect(await stale).toMatchObject({ code: 'forbidden' });
    expect((await db.pool.query('SELECT email FROM clients WHERE id_key = $1', [id])).rows).toEqual([{ email: 'new@example.com' }]);
  });
});

describe('a password', () => {
  test('is changed by who knows it, which ends all other sessions', async ({ db }) => {
    const shop = openShop(db);
    const { id, email } = await register(shop);
    const [here, there] = [await logIn(shop, email), await logIn(shop, email)];
    const asked = (await prove(shop, here))!;
    const change = (current_password: string, new_password: string) =>
      shop.call(asked, `PUT /clients/${id}/password`, { body: { current_password, new_password } });
    await expect(change('something else', 'difference engine')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(change(password, 'password123')).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/new_password', message: 'is one of the most common passwords' }],
    });
    expect((await change(password, 'difference engine')).status).toBe(204);
    expect([await prove(shop, here), await prove(shop, there)]).toEqual([asked, undefined]);
    await expect(logIn(shop, email)).rejects.toMatchObject(refused);
    expect((await logIn(shop, email, 'difference engine')).id).toBe(id);
  });

  test('of a new account is refused when it is common, and never repeated', async ({ db }) => {
    const shop = openShop(db);
    const body = { name: 'Ada', lastname: 'L', email: 'ada@example.com', password: 'Football1' };
    const err = await shop.call(anonymous, 'POST /clients', { body }).catch((thrown: unknown) => thrown as Error);
    expect(err).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/password' }] });
    expect(JSON.stringify(err)).not.toContain('Football1');
  });
});
