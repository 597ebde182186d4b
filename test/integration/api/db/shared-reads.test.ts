import { describe, expect } from 'vitest';
import { createPool } from '#api/db/pool.ts';
import { statement } from '#api/db/statement.ts';
import { createDatabase } from '#api/db/tx.ts';
import { test as base } from '#test/support/migrated-database.ts';
import { createDatabaseProxy, type DatabaseProxy } from '../processes/database-proxy.ts';

const byId = statement<{ id_key: number; version: number }>(
  'test-by-id',
  'SELECT id_key, version FROM categories WHERE id_key = ANY ($1::bigint[])',
);
const all = statement<{ id_key: number; version: number }>('test-all', 'SELECT id_key, version FROM categories ORDER BY id_key');
const alone = statement<{ id_key: number; version: number }>('test-one', 'SELECT id_key, version FROM categories WHERE id_key = $1');
const raise = statement('test-raise', 'UPDATE categories SET version = $2 WHERE id_key = $1');
const settings = { DB_POOL_SIZE: 2, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 5, DB_POOL_RECYCLE: 0 };

/** With a pool of two connections through a door that counts and cuts. */
const test = base.extend<{ door: DatabaseProxy; pool: ReturnType<typeof createPool> }>({
  door: async ({ db }, use) => {
    await db.pool.query(`INSERT INTO categories (name, version) SELECT 'category ' || n, 0 FROM generate_series(1, 20) n`);
    const door = await createDatabaseProxy(db.settings);
    await door.open();
    await use(door);
    await door.close();
  },
  pool: async ({ door }, use) => {
    const pool = createPool({ ...door.settings, ...settings }, 'atalaya-test');
    await use(pool);
    await pool.end();
  },
});

describe('reads that wait for a connection', () => {
  test('are one question for all ids, and one for each list', async ({ pool, door }) => {
    const { read } = createDatabase(pool);
    const lent = await Promise.all([pool.connect(), pool.connect()]);
    const rows = Promise.all(Array.from({ length: 200 }, (_, index) => read.byId(byId, (index % 30) + 1)));
    const lists = Promise.all(Array.from({ length: 200 }, () => read.query(all)));
    for (const client of lent) client.release();
    expect((await rows).map((row) => row?.id_key)).toEqual(
      Array.from({ length: 200 }, (_, index) => (index % 30 < 20 ? (index % 30) + 1 : undefined)),
    );
    for (const list of await lists) expect(list).toHaveLength(20);
    expect([door.ran('test-by-id'), door.ran('test-all')]).toEqual([1, 1]);
  });

  test('see every write that was answered before they were asked', async ({ db, pool, door }) => {
    const { read } = createDatabase(pool);
    const committed = Array.from({ length: 21 }, () => 0);
    let stale = 0;
    let seen = 0;
    const isOver = AbortSignal.timeout(2_000);
    const write = async (id: number): Promise<void> => {
      for (let version = 1; !isOver.aborted; version += 1) {
        await db.pool.query({ ...raise, values: [id, version] });
        committed[id] = version;
      }
    };
    const look = async (start: number): Promise<void> => {
      for (let id = start; !isOver.aborted; id = (id % 20) + 1) {
        const atLeast = committed[id] ?? 0;
        const asked = [
          () => read.byId(byId, id),
          async () => (await read.query(all))[id - 1],
          async () => (await read.query(alone, [id]))[0],
        ];
        const row = await asked[id % 3]?.();
        seen += 1;
        if ((row?.version ?? -1) < atLeast) stale += 1;
      }
    };
    await Promise.all([...[1, 2, 3, 4].map(write), ...Array.from({ length: 40 }, (_, index) => look((index % 20) + 1))]);
    expect(stale).toBe(0);
    expect(door.ran('test-one')).toBeGreaterThan(0);
    expect(seen).toBeGreaterThan(door.ran('test-by-id') + door.ran('test-all') + door.ran('test-one'));
  });

  test('all hear of a connection that breaks, and the next read has another', async ({ pool, door }) => {
    const { read } = createDatabase(pool);
    const cut = door.cutAt('test-by-id', 'before');
    const joined = await Promise.allSettled([1, 2, 3].map((id) => read.byId(byId, id)));
    await cut;
    expect(joined.map((one) => one.status === 'rejected' && String(one.reason))).toEqual(
      Array(3).fill('Error: Connection terminated unexpectedly'),
    );
    expect(await read.byId(byId, 1)).toMatchObject({ id_key: 1 });
  });
});
