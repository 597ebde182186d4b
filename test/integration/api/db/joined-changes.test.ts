import { describe, expect } from 'vitest';
import { CommitUnknownError } from '#api/db/tx.ts';
import type { Principal } from '#api/auth/principal.ts';
import { test } from '#test/support/migrated-database.ts';
import {
  addClient,
  addProduct,
  customer,
  operator,
  versionTag,
  whileHeld,
  type Answer,
  type CallOptions,
  type Shop,
} from '../shop/shop.ts';
import { valueOf, withOneConnection } from './one-connection.ts';

type Owned = { readonly owner: number; readonly as: Principal; readonly id: number };

const addAddresses = (shop: Shop, count: number): Promise<Owned[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const owner = await addClient(shop);
      const { json } = await shop.call(operator, 'POST /addresses', { body: { city: 'Ávila', client_id: owner } });
      return { owner, as: customer(owner), id: json.id_key as number };
    }),
  );

const whole = (street: string | null) => ({ street, number: '1', city: 'Soria' });
const change = (shop: Shop, { as, id }: Pick<Owned, 'as' | 'id'>, body: object, more: CallOptions = {}): Promise<Answer> =>
  shop.call(as, `PUT /addresses/${id}`, { body, ...more });
const reasonOf = (result: PromiseSettledResult<Answer> | undefined): unknown => (result as PromiseRejectedResult).reason;

describe('changes that wait for a connection', () => {
  test('are one statement in one transaction, and each is answered as alone', async ({ db }) => {
    await withOneConnection(db, async ({ shop, asked, together }) => {
      const all = await addAddresses(shop, 4);
      const streets = ['Calle "Mayor"', 'ñ \\ {x,y}', 'NULL', null];
      const changed = (
        await together(() =>
          all.map((one, index) => change(shop, one, { ...whole(streets[index]!), client_id: one.owner }, { ifMatch: 1 })),
        )
      ).map(valueOf);
      expect(asked).toEqual(['BEGIN', 'addresses-change', 'COMMIT']);
      for (const [index, { json, text, headers }] of changed.entries()) {
        const { as, id, owner } = all[index]!;
        expect(json).toEqual({ ...whole(streets[index]!), client_id: owner, id_key: id, version: 2 });
        expect(headers).toEqual({ ETag: versionTag(2) });
        expect((await shop.call(as, `GET /addresses/${id}`)).text).toBe(text);
        const alone = await change(shop, all[index]!, whole(streets[index]!));
        expect(alone.text).toBe(text.replace('"version":2', '"version":3'));
      }
      const { rows } = await db.pool.query('SELECT FROM addresses WHERE updated_at > created_at');
      expect(rows).toHaveLength(4);
    });
  });

  test('of reviews are one statement too, and keep the rest of what they are', async ({ db }) => {
    await withOneConnection(db, async ({ shop, asked, together }) => {
      const product = await addProduct(shop, { stock: 1 });
      const authors = await Promise.all([0, 1, 2].map(() => addClient(shop)));
      const made = await Promise.all(
        authors.map((author) => shop.call(customer(author), 'POST /reviews', { body: { rating: 5, product_id: product } })),
      );
      const comments = ['Alumbra bien, y lejos.', null, 'Una "buena" compra.'];
      const bodies = comments.map((comment, index) => ({ rating: 1.5 + index, comment, product_id: product }));
      const changed = (
        await together(() =>
          made.map(({ json }, index) => shop.call(customer(authors[index]!), `PUT /reviews/${json.id_key}`, { body: bodies[index] })),
        )
      ).map(valueOf);
      expect(asked).toEqual(['BEGIN', 'reviews-change', 'COMMIT']);
      for (const [index, { json, text }] of changed.entries()) {
        expect(json).toEqual({ ...made[index]!.json, ...bodies[index], version: 2 });
        expect((await shop.call(operator, `GET /reviews/${json.id_key}`)).text).toBe(text);
      }
    });
  });

  test('do not suffer for one that is refused, and each of those is told why', async ({ db }) => {
    await withOneConnection(db, async ({ shop, asked, together }) => {
      const [fine, stale, others, given, twice, busy] = (await addAddresses(shop, 6)) as [Owned, Owned, Owned, Owned, Owned, Owned];
      let results: PromiseSettledResult<Answer>[] = [];
      await whileHeld(db, `UPDATE addresses SET number = '7' WHERE id_key = ${busy.id}`, async () => {
        results = await together(() => [
          change(shop, fine, whole('Fine')),
          change(shop, stale, whole('Stale'), { ifMatch: 2 }),
          change(shop, { ...others, as: fine.as }, whole('Others')),
          change(shop, { ...fine, id: 1_000_000 }, whole('Nowhere')),
          change(shop, given, { ...whole('Given'), client_id: fine.owner }),
          change(shop, twice, whole('First'), { ifMatch: 1 }),
          change(shop, twice, whole('Second'), { ifMatch: 1 }),
          change(shop, twice, whole('Third')),
          change(shop, busy, whole('Busy')),
        ]);
      });
      expect(asked.slice(0, 3)).toEqual(['BEGIN', 'addresses-change', 'COMMIT']);
      expect(asked.filter((name) => name === 'address-lock')).toHaveLength(7);
      expect(results.map((result) => (result.status === 'fulfilled' ? result.value.json.street : result.reason.code))).toEqual([
        'Fine',
        'version_mismatch',
        'not_found',
        'not_found',
        'validation_failed',
        'First',
        'version_mismatch',
        'Third',
        'Busy',
      ]);
      const { rows } = await db.pool.query('SELECT street, version FROM addresses ORDER BY id_key');
      const left = rows.map(({ street, version }) => `${street} ${version}`).toSorted();
      expect(left).toEqual(['Busy 2', 'Fine 2', 'Third 3', 'null 1', 'null 1', 'null 1']);
    });
  });

  test('are done all the same when the connection breaks before COMMIT, which is certain', async ({ db }) => {
    await withOneConnection(db, async (scene) => {
      const all = await addAddresses(scene.shop, 3);
      Object.assign(scene, { cutIn: 's-change', cutAt: 'after' });
      const changed = (await scene.together(() => all.map((one) => change(scene.shop, one, whole('Once'))))).map(valueOf);
      expect(scene.asked[1]).toBe('addresses-change');
      expect(changed.map(({ json }) => [json.street, json.version])).toEqual(all.map(() => ['Once', 2]));
    });
  });

  test('are left open, all of them, when it breaks during COMMIT, and none is done again', async ({ db }) => {
    await withOneConnection(db, async (scene) => {
      const all = await addAddresses(scene.shop, 3);
      for (const [cutAt, version] of [
        ['before', 1],
        ['after', 2],
      ] as const) {
        Object.assign(scene, { cutIn: 'COMMIT', cutAt });
        const results = await scene.together(() => all.map((one) => change(scene.shop, one, whole(cutAt))));
        expect(results.map(reasonOf)).toEqual(all.map(() => expect.any(CommitUnknownError)));
        expect(scene.asked).toEqual(['BEGIN', 'addresses-change', 'COMMIT']);
        const { rows } = await db.pool.query('SELECT version FROM addresses');
        expect(rows).toEqual(all.map(() => ({ version })));
      }
    });
  });
});
