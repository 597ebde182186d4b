import { describe, expect } from 'vitest';
import { createPool } from '#api/db/pool.ts';
import { statement, unseen } from '#api/db/statement.ts';
import { createDatabase, createKnex, type Asked } from '#api/db/tx.ts';
import { test } from '#test/support/migrated-database.ts';

const insert = statement('test-insert', 'INSERT INTO categories (name) VALUES ($1)');
const count = statement<{ count: number }>('test-count', 'SELECT count(*)::integer AS count FROM categories');
const backend = statement<{ pid: number }>('test-backend', 'SELECT pg_backend_pid() AS pid');
const fail = statement('test-fail', 'SELECT 1 / 0');
const conflict = statement('test-conflict', `DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$`);
const lockByName = statement('test-lock', 'SELECT FROM categories WHERE name = $1 FOR UPDATE');
const pools = { DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 1, DB_POOL_RECYCLE: 0 };

describe('a transaction', () => {
  test('keeps all of its work or none', async ({ db }) => {
    const { read, transact } = createDatabase(db.pool);
    await transact((tx) => tx.query(insert, ['kept']), { isOnce: false });
    const undone = transact(
      async (tx) => {
        await tx.query(insert, ['lost']);
        throw new Error('changed my mind');
      },
      { isOnce: false },
    );
    await expect(undone).rejects.toThrow('changed my mind');
    expect(await read.query(count)).toEqual([{ count: 1 }]);
  });

  test('whose failed statement was swallowed does not pass for done', async ({ db }) => {
    const swallowing = createDatabase(db.pool).transact(
      async (tx) => {
        await tx.query(insert, ['lost']);
        await tx.query(fail).catch(() => {});
      },
      { isOnce: false },
    );
    await expect(swallowing).rejects.toThrow('rolled back');
  });

  test('runs statements and models on one and the same connection', async ({ db }) => {
    const { read, transact } = createDatabase(db.pool);
    const failing = transact(
      async (tx) => {
        await tx.knex('categories').insert({ name: 'through knex' });
        await tx.query(insert, ['through a statement']);
        expect(await tx.query(count)).toEqual([{ count: 2 }]);
        expect(await tx.knex('categories').count()).toEqual([{ count: 2 }]);
        throw new Error('undo');
      },
      { isOnce: false },
    );
    await expect(failing).rejects.toThrow('undo');
    expect(await read.knex('categories')).toEqual([]);
  });

  test('sends what is left to its end with COMMIT, and none of it stays when that fails', async ({ db }) => {
    const { read, transact } = createDatabase(db.pool);
    const ending = (...rest: Asked[]) =>
      transact(
        async (tx) => {
          for (const asked of rest) tx.atEnd(asked);
          await tx.query(insert, [`before ${rest.at(-1)?.statement.name}`]);
        },
        { isOnce: false },
      );
    await ending({ statement: insert, values: ['at the end'] });
    await expect(ending({ statement: insert, values: ['lost'] }, { statement: fail, values: [] })).rejects.toMatchObject({ code: '22012' });
    await expect(ending({ statement: conflict, values: [] })).rejects.toMatchObject({ code: '40001' });
    expect(await read.knex('categories').orderBy('id_key').pluck('name')).toEqual(['before test-insert', 'at the end']);
  });

  test('asks what it foresees once, with its beginning, and answers whoever asks it then', async ({ db }) => {
    const { transact } = createDatabase(db.pool);
    const moment = statement<{ at: Date }>('test-moment', 'SELECT clock_timestamp() AS at, $1::integer AS number');
    await transact(
      async (tx) => {
        const foreseen = tx.foresee({ statement: moment, values: [1] });
        expect(await tx.query(moment, [1])).toBe(await foreseen);
        expect(await tx.query(moment, [2])).not.toEqual(await foreseen);
      },
      { isOnce: false },
    );
    // Nobody asks for it: it harms nobody, until something else needs the transaction that it has broken.
    const broken = transact((tx) => Promise.resolve(void tx.foresee({ statement: fail, values: [] })), { isOnce: false });
    await expect(broken).rejects.toThrow('rolled back');
  });

  test('reads by id what it has done itself', async ({ db }) => {
    const { read, transact } = createDatabase(db.pool);
    const byId = statement<{ id_key: number; name: string }>(
      'test-by-id',
      'SELECT id_key, name FROM categories WHERE id_key = ANY ($1::bigint[])',
    );
    await transact(
      async (tx) => {
        const [made] = await tx.knex('categories').insert({ name: 'new' }).returning('id_key');
        const { id_key: id } = made as { id_key: number };
        expect(await tx.byId(byId, id)).toEqual({ id_key: id, name: 'new' });
        expect(await read.byId(byId, id)).toBeUndefined();
      },
      { isOnce: false },
    );
  });

  test('whose connection is cut fails, and the pool goes on with another', async ({ db }) => {
    const pool = createPool({ ...db.settings, ...pools }, 'atalaya-test');
    const { read, transact } = createDatabase(pool);
    try {
      const cut = transact(
        async (tx) => {
          const [row] = await tx.query(backend);
          await db.pool.query('SELECT pg_terminate_backend($1)', [row?.pid]);
          await tx.query(insert, ['lost']);
        },
        { isOnce: false },
      );
      // Which of the two pg says depends on whether it has read of the end before the next statement.
      await expect(cut).rejects.toThrow(/terminat|encountered a connection error/i);
      expect(await read.query(count)).toEqual([{ count: 0 }]);
    } finally {
      await pool.end();
    }
  });
});

describe('a conflict with another transaction', () => {
  test('is tried again from the start, and only the last try counts', async ({ db }) => {
    const { read, transact } = createDatabase(db.pool);
    let tries = 0;
    const done = await transact(
      async (tx) => {
        tries += 1;
        await tx.query(insert, [`try ${tries}`]);
        if (tries < 3) await tx.query(conflict);
        return 'done';
      },
      { isOnce: false },
    );
    expect([done, tries, await read.knex('categories').pluck('name')]).toEqual(['done', 3, ['try 3']]);
  });

  test('that does not pass is given up, having changed nothing', async ({ db }) => {
    const { read, transact } = createDatabase(db.pool);
    let tries = 0;
    const hopeless = transact(
      async (tx) => {
        tries += 1;
        await tx.query(insert, [`try ${tries}`]);
        await tx.query(conflict);
      },
      { isOnce: true },
    );
    await expect(hopeless).rejects.toMatchObject({ code: '40001' });
    expect([tries, await read.query(count)]).toEqual([4, [{ count: 0 }]]);
  });

  test('such as a deadlock shows to neither of the two', async ({ db }) => {
    const { transact } = createDatabase(db.pool);
    await db.pool.query(`INSERT INTO categories (name) VALUES ('a'), ('b')`);
    const bothHold = Promise.withResolvers<void>();
    let holding = 0;
    const lockBoth = (names: readonly [string, string]) =>
      transact(
        async (tx) => {
          await tx.query(lockByName, [names[0]]);
          holding += 1;
          if (holding === 2) bothHold.resolve();
          await bothHold.promise;
          await tx.query(lockByName, [names[1]]);
          return names;
        },
        { isOnce: false },
      );
    expect(await Promise.all([lockBoth(['a', 'b']), lockBoth(['b', 'a'])])).toHaveLength(2);
    // One of them had to hold its first lock twice.
    expect(holding).toBe(3);
  });

  test('is all that is tried again: any other failure is run once', async ({ db }) => {
    const { transact } = createDatabase(db.pool);
    let tries = 0;
    const failing = transact(
      async (tx) => {
        tries += 1;
        await tx.query(fail);
      },
      { isOnce: true },
    );
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect(tries).toBe(1);
  });
});

describe('the pool', () => {
  test('gives up after its timeout when every connection is lent out', async ({ db }) => {
    const pool = createPool({ ...db.settings, ...pools }, 'atalaya-test');
    const lent = await pool.connect();
    await expect(pool.query('SELECT 1')).rejects.toThrow('timeout exceeded when trying to connect');
    await expect(createKnex(pool).raw('SELECT 1')).rejects.toThrow('timeout exceeded when trying to connect');
    lent.release();
    expect((await pool.query('SELECT 1')).rowCount).toBe(1);
    await pool.end();
  });

  test('that could hold no connection is refused', async ({ db }) => {
    expect(() => createPool({ ...db.settings, ...pools, DB_POOL_SIZE: 0 }, 'x')).toThrow('at least 1');
  });

  test('reads bigint as numbers, and refuses those a number cannot hold', async ({ db }) => {
    expect((await db.pool.query('SELECT 9007199254740991::bigint AS n')).rows).toEqual([{ n: 9_007_199_254_740_991 }]);
    await expect(db.pool.query('SELECT 9007199254740993::bigint AS n')).rejects.toThrow('not exact');
  });

  test('works in UTC under its name, within the time limits of the server', async ({ db }) => {
    const { rows } = await db.pool.query<Record<string, string>>(
      `SELECT name, setting FROM pg_settings WHERE name IN
       ('TimeZone', 'application_name', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')`,
    );
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      TimeZone: 'UTC',
      application_name: 'atalaya-test',
      statement_timeout: '10000',
      lock_timeout: '5000',
      idle_in_transaction_session_timeout: '15000',
    });
  });

  test('plans a statement once whose values the planner is not shown', async ({ db }) => {
    const shown = statement('test-shown', 'SELECT FROM categories WHERE id_key = ANY ($1::bigint[])');
    const hidden = statement('test-hidden', `SELECT FROM categories WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`);
    const plans = statement<{ name: string; custom: number }>(
      'test-plans',
      `SELECT name, custom_plans::integer AS custom FROM pg_prepared_statements WHERE name IN ('test-shown', 'test-hidden') ORDER BY name`,
    );
    await createDatabase(db.pool).transact(
      async (tx) => {
        for (let run = 0; run < 20; run += 1) for (const one of [shown, hidden]) await tx.query(one, [[1]]);
        // PostgreSQL plans the first five runs of every statement for their values.
        expect(await tx.query(plans)).toEqual([
          { name: 'test-hidden', custom: 5 },
          { name: 'test-shown', custom: 20 },
        ]);
      },
      { isOnce: false },
    );
  });

  test('outlives the cut of a connection that is lent out but idle', async ({ db }) => {
    const pool = createPool({ ...db.settings, ...pools }, 'atalaya-test');
    const lent = await pool.connect();
    const { rows } = await lent.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const ended = new Promise((resolve) => lent.once('end', () => resolve(undefined)));
    await db.pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await ended;
    lent.release(true);
    expect((await pool.query('SELECT 1')).rowCount).toBe(1);
    await pool.end();
  });
});
