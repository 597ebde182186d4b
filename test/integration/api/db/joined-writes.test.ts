import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { Principal } from '#api/auth/principal.ts';
import { test } from '#test/support/migrated-database.ts';
import { addClient, customer, operator, whileHeld, type Answer, type Shop } from '../shop/shop.ts';
import { valueOf, withOneConnection } from './one-connection.ts';

const addressOf = (client_id: number, street: string) => ({ client_id, street, number: null, city: 'Soria' });
const add = (shop: Shop, as: Principal, clientId: number, street: string, key: string = randomUUID()): Promise<Answer> =>
  shop.call(as, 'POST /addresses', { body: addressOf(clientId, street), key });
const bill = (shop: Shop, clientId: number, more: object = {}, key: string = randomUUID()): Promise<Answer> =>
  shop.call(customer(clientId), 'POST /bills', { body: { client_id: clientId, payment_type: 2, ...more }, key });

describe('writes that wait for a connection', () => {
  test('are one statement, and each is answered with its own, as alone and as under its key again', async ({ db }) => {
    await withOneConnection(db, async ({ shop, asked, together }) => {
      const clients = await Promise.all(Array.from({ length: 5 }, () => addClient(shop)));
      const streets = ['Calle "Mayor"', 'ñ \\ {x,y}', 'NULL', '', 'e'].map((street) => street || 'vacía');
      const made = (await together(() => clients.map((id, index) => add(shop, customer(id), id, streets[index]!, `k${index}`)))).map(
        valueOf,
      );
      expect(asked).toEqual(['addresses-record']);
      for (const [index, { status, json, headers, text }] of made.entries()) {
        const [id, street] = [clients[index]!, streets[index]!];
        expect([status, json]).toEqual([201, { ...addressOf(id, street), id_key: json.id_key, version: 1 }]);
        expect((await shop.call(customer(id), `GET /addresses/${json.id_key}`)).text).toBe(text);
        const again = await add(shop, customer(id), id, street, `k${index}`);
        expect([again.text, again.headers]).toEqual([text, { ...headers, 'Idempotency-Replayed': 'true' }]);
        const alone = await add(shop, customer(id), id, street);
        expect(alone.text).toBe(text.replace(`"id_key":${json.id_key}`, `"id_key":${alone.json.id_key}`));
      }
    });
  });

  test('get bills of their own numbers, days and discounts', async ({ db }) => {
    await withOneConnection(db, async ({ shop, asked, together }) => {
      const [one, two] = [await addClient(shop), await addClient(shop)];
      const asOperator = shop.call(operator, 'POST /bills', { body: { client_id: one, payment_type: 1 } });
      const before = await asOperator;
      const made = (
        await together(() => [
          bill(shop, one, { payment_type: 5, date: '2025-02-28' }),
          shop.call(operator, 'POST /bills', { body: { client_id: two, payment_type: 3, discount: 12.5 }, key: 'd' }),
          bill(shop, two),
        ])
      ).map(valueOf);
      expect(asked).toEqual(['bills-record']);
      const today = new Date().toISOString().slice(0, 10);
      expect(made.map(({ json }) => [json.client_id, json.payment_type, json.date, json.discount, json.version])).toEqual([
        [one, 5, '2025-02-28', 0, 1],
        [two, 3, before.json.date, 12.5, 1],
        [two, 2, today, 0, 1],
      ]);
      expect(new Set(made.map(({ json }) => json.bill_number)).size).toBe(3);
      for (const { json } of made) expect(json.bill_number).toMatch(/^A-\d{4}-\d+$/);
      for (const { json, text } of made) expect((await shop.call(operator, `GET /bills/${json.id_key}`)).text).toBe(text);
    });
  });

  test('do not suffer for one that is refused, has been done before, or whose client is being changed', async ({ db }) => {
    await withOneConnection(db, async ({ shop, asked, together }) => {
      const [fine, gone, done, busy] = await Promise.all(Array.from({ length: 4 }, () => addClient(shop)));
      await shop.pool.query('UPDATE clients SET deleted_at = now() WHERE id_key = $1', [gone]);
      const first = await add(shop, customer(done!), done!, 'Done', 'again');
      let results: PromiseSettledResult<Answer>[] = [];
      await whileHeld(db, `UPDATE clients SET version = version + 1 WHERE id_key = ${busy}`, async () => {
        results = await together(() => [
          add(shop, customer(gone!), gone!, 'Gone'),
          add(shop, customer(done!), done!, 'Done', 'again'),
          add(shop, customer(fine!), fine!, 'Fine'),
          add(shop, customer(done!), done!, 'Other', 'again'),
          add(shop, customer(busy!), busy!, 'Busy'),
        ]);
      });
      expect(asked[0]).toBe('addresses-record');
      // The other four ask by themselves, and wait or are told why.
      expect(asked.filter((name) => name === 'BEGIN')).toHaveLength(4);
      expect(results[0]).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } });
      expect(valueOf(results[1])).toMatchObject({ text: first.text, headers: { 'Idempotency-Replayed': 'true' } });
      expect(valueOf(results[2]).json).toMatchObject({ street: 'Fine' });
      expect(results[3]).toMatchObject({ status: 'rejected', reason: { code: 'idempotency_key_reused' } });
      expect(valueOf(results[4]).json).toMatchObject({ street: 'Busy' });
      const { rows } = await db.pool.query('SELECT street FROM addresses ORDER BY street');
      expect(rows.map(({ street }) => street)).toEqual(['Busy', 'Done', 'Fine']);
    });
  });

  test('are made once, each found out by its key, when their connection breaks', async ({ db }) => {
    await withOneConnection(db, async (scene) => {
      const clients = await Promise.all([0, 1, 2].map(() => addClient(scene.shop)));
      for (const cutAt of ['before', 'after'] as const) {
        scene.cutAt = cutAt;
        const made = (await scene.together(() => clients.map((id) => add(scene.shop, customer(id), id, cutAt)))).map(valueOf);
        expect(scene.asked[0]).toBe('addresses-record');
        expect(made.map(({ status, json }) => [status, json.client_id])).toEqual(clients.map((id) => [201, id]));
        const isFound = cutAt === 'after' ? 'true' : undefined;
        expect(made.map(({ headers }) => headers['Idempotency-Replayed'])).toEqual(clients.map(() => isFound));
        const { rows } = await db.pool.query('SELECT client_id FROM addresses WHERE street = $1 ORDER BY client_id', [cutAt]);
        expect(rows.map(({ client_id }) => client_id)).toEqual(clients.toSorted((a, b) => a - b));
      }
    });
  });

  test('wait only a moment for the key of one, which another process has, and then go without it', async ({ db }) => {
    await withOneConnection(db, async ({ shop, asked, together }) => {
      const [one, two] = [await addClient(shop), await addClient(shop)];
      const holder = await db.pool.connect();
      await holder.query('BEGIN');
      const held = "INSERT INTO idempotency_keys (principal, key, fingerprint, status) VALUES ($1, 'held', 'of another request', 201)";
      await holder.query(held, [`client:${one}`]);
      const both = together(() => [add(shop, customer(two), two, 'Two'), add(shop, customer(one), one, 'One', 'held')]);
      try {
        await expect.poll(() => asked, { timeout: 4_000 }).toContain('BEGIN');
      } finally {
        await holder.query('COMMIT');
        holder.release();
      }
      expect(asked[0]).toBe('addresses-record');
      const [free, waited] = await both;
      expect(valueOf(free).json).toMatchObject({ street: 'Two' });
      expect(waited).toMatchObject({ status: 'rejected', reason: { code: 'idempotency_key_reused' } });
    });
  });

  test('need no new plan however many they are', async ({ db }) => {
    await withOneConnection(db, async ({ shop, together, ask }) => {
      const client = await addClient(shop);
      for (let round = 0; round < 9; round += 1) {
        (
          await together(() => Array.from({ length: 2 + round }, (_, index) => add(shop, customer(client), client, `${round} ${index}`)))
        ).map(valueOf);
      }
      const plans = "SELECT custom_plans::integer AS custom FROM pg_prepared_statements WHERE name = 'addresses-record'";
      expect((await ask(plans)).rows).toEqual([{ custom: 5 }]);
    });
  });
});
