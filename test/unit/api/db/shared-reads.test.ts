// Reads that join, share and go together, over one simulated database; so it is long.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { createSharedReads, type NoteTimes } from '#api/db/shared-reads.ts';
import { textStatement } from '#api/db/statement.ts';
import { ClientGoneError } from '#api/errors.ts';
import { failureOf } from '#lib/postgres.ts';

type Row = { readonly id_key: string; readonly version: string };
const byId = textStatement<Row>('thing-by-id', '…');
const page = textStatement<Row>('thing-page', '…');

type Shape = {
  /** Turns of the event loop until a connection is had, and until an answer comes; each in turn, the last one for all that follow. */
  readonly connectTurns?: readonly number[];
  readonly answerTurns?: readonly number[];
  /** Which questions fail, by their number. */
  readonly failing?: ReadonlySet<number>;
  readonly connect?: () => Promise<unknown>;
  readonly timeoutMs?: number;
  readonly connections?: number;
  readonly answerMs?: number;
};

const wait = async (turns: readonly number[], index: number): Promise<void> => {
  for (let left = turns[Math.min(index, turns.length - 1)] ?? 0; left > 0; left -= 1) await turn();
};

/** A database whose snapshot is as old as it can be: of the moment a question is sent. Things have the ids 1 to 5. */
function createFake({
  connectTurns = [0],
  answerTurns = [0],
  failing = new Set(),
  connect,
  timeoutMs = 10_000,
  connections = Infinity,
  answerMs = 0,
}: Shape = {}) {
  const asked: { name: string; ids: string[] }[] = [];
  const state = { version: 0, onTheWay: 0, mostOnTheWay: 0, released: [] as boolean[], contexts: [] as unknown[], pieces: [] as number[] };
  let [connects, lent, isHeld] = [0, 0, false];
  const queue: (() => void)[] = [];
  /** Of each question, how many are on the way. */
  const alike = new Map<string, number>();
  const query = async ({ name, values }: { name: string; values: unknown[] }) => {
    const number = asked.length;
    const ids = name === byId.name ? String(values[0]).replaceAll(/[{}]/g, '').split(',') : ['1'];
    asked.push({ name, ids });
    const key = name === byId.name ? name : `${name} ${String(values)}`;
    if (isHeld) state.pieces.push((state.pieces.pop() ?? 0) + 1);
    else state.pieces.push(1);
    state.contexts.push(context.getStore());
    const version = String(state.version);
    state.onTheWay += 1;
    alike.set(key, (alike.get(key) ?? 0) + 1);
    state.mostOnTheWay = Math.max(state.mostOnTheWay, ...alike.values());
    await wait(answerTurns, number);
    if (answerMs > 0) await sleep(answerMs);
    state.onTheWay -= 1;
    alike.set(key, (alike.get(key) ?? 0) - 1);
    if (failing.has(number)) throw new Error(`question ${number} failed`);
    return { rows: ids.filter((id) => Number(id) <= 5).map((id_key) => ({ id_key, version })) };
  };
  const cork = (): void => void ((isHeld = true), state.pieces.push(0));
  const connection = { stream: { cork, uncork: (): void => void (isHeld = false) } };
  const release = (broken?: boolean): void => {
    state.released.push(broken === true);
    lent -= 1;
    queue.shift()?.();
  };
  const client = { query, connection, release };
  const pool = {
    get waitingCount() {
      return queue.length;
    },
    options: { connectionTimeoutMillis: timeoutMs },
    connect:
      connect ??
      (async () => {
        await wait(connectTurns, (connects += 1) - 1);
        if (lent >= connections) await new Promise<void>((resolve) => queue.push(resolve));
        lent += 1;
        return client;
      }),
  };
  return { pool: pool as unknown as Pool, asked, state };
}

const context = new AsyncLocalStorage<string>();

test('however reads, writes, connections and answers interleave: never stale, each the row it asked for, at most two questions of a kind on the way', async () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('read' as const), id: fc.integer({ min: 1, max: 7 }) }),
    fc.record({ kind: fc.constant('list' as const), skip: fc.nat({ max: 5 }) }),
    fc.record({ kind: fc.constant('write' as const) }),
    fc.record({ kind: fc.constant('turn' as const) }),
  );
  const turns = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 8 });
  const connections = fc.constantFrom(1, 2, Infinity);
  const shape = fc.record({
    connections,
    connectTurns: turns,
    answerTurns: turns,
    failing: fc.array(fc.nat({ max: 10 })).map((all) => new Set(all)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), shape, async (actions, given) => {
      const { pool, state } = createFake(given);
      const reads = createSharedReads(pool);
      const seen: Promise<string>[] = [];
      const check = async (answer: Promise<Row | undefined>, id: number): Promise<string> => {
        const atLeast = state.version;
        const row = await answer.catch((err: unknown) => String(err));
        if (typeof row === 'string') return row.replace(/\d+/, 'N');
        if (row === undefined) return id > 5 ? 'right' : `${id} is missing`;
        return row.id_key === String(id) && Number(row.version) >= atLeast ? 'right' : `${id}: ${JSON.stringify(row)} after ${atLeast}`;
      };
      for (const { kind, ...what } of actions) {
        if (kind === 'read') seen.push(check(reads.byId(byId, (what as { id: number }).id), (what as { id: number }).id));
        if (kind === 'list') {
          const list = reads.query(page, [(what as { skip: number }).skip]).then((rows) => rows[0]);
          seen.push(check(list, 1));
        }
        if (kind === 'write') state.version += 1;
        if (kind === 'turn') await turn();
      }
      expect((await Promise.all(seen)).filter((word) => !['right', 'Error: question N failed'].includes(word))).toEqual([]);
      expect(state.mostOnTheWay).toBeLessThanOrEqual(2);
      expect(state.onTheWay).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('what is asked in one turn of the event loop is one question, each id in it once', async () => {
  const { pool, asked } = createFake();
  const reads = createSharedReads(pool);
  const rows = await Promise.all([1, 2, 2, 9].map((id) => reads.byId(byId, id)));
  expect(rows.map((row) => row?.id_key)).toEqual(['1', '2', '2', undefined]);
  expect(asked).toEqual([{ name: 'thing-by-id', ids: ['1', '2', '9'] }]);
});

test('lists are shared by those who ask the same, and by nobody else', async () => {
  const { pool, asked } = createFake();
  const reads = createSharedReads(pool);
  const [first, same, other] = await Promise.all([reads.query(page, [20, 0]), reads.query(page, [20, 0]), reads.query(page, [20, 20])]);
  expect(same).toBe(first);
  expect(other).not.toBe(first);
  expect(asked).toHaveLength(2);
});

/** Reads of a pool of one connection, which is lent, by somebody who knows that they are quick. */
async function createBusy(failing: readonly number[] = []) {
  const fake = createFake({ connections: 1, failing: new Set(failing), answerTurns: [0, 3] });
  const reads = createSharedReads(fake.pool);
  await reads.query(page, [1]);
  await turn();
  return { ...fake, reads, lent: await fake.pool.connect() };
}

test('different lists that wait for a connection go over it in one piece, 16 at most; who comes then asks anew', async () => {
  const { reads, lent, state } = await createBusy();
  const [first, ...rest] = Array.from({ length: 20 }, (_, skip) => reads.query(page, [skip]));
  await turn();
  lent.release();
  await turn();
  const again = reads.query(page, [1]);
  await Promise.all([first, ...rest]);
  expect(await again).not.toBe(await rest[0]);
  expect(state.pieces).toEqual([1, 16, 5]);
});

test('one of several that go in one piece fails alone, and the connection is not used again', async () => {
  const { reads, lent, state } = await createBusy([3]);
  const answers = Promise.allSettled([0, 1, 2, 3].map((skip) => reads.query(page, [skip])));
  await turn();
  lent.release();
  expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  await turn();
  expect(state.pieces).toEqual([1, 4]);
  expect(state.released).toEqual([false, false, true, false, false, false]);
});

test('a slow list keeps no other waiting behind it', async () => {
  const { pool, state } = createFake({ connections: 1, answerMs: 60 });
  const reads = createSharedReads(pool);
  await reads.query(page, [1]);
  await Promise.all([2, 3, 4].map((skip) => reads.query(page, [skip])));
  expect(state.pieces).toEqual([1, 1, 1, 1]);
});

test('who comes while two questions are on the way waits for the next, with all others who wait', async () => {
  const { pool, asked, state } = createFake({ answerTurns: [20] });
  const reads = createSharedReads(pool);
  const early: Promise<unknown>[] = [];
  for (const id of [1, 2]) {
    early.push(reads.byId(byId, id));
    await turn();
    await turn();
  }
  const late = [3, 4, 5].map((id) => reads.byId(byId, id));
  await Promise.all([...early, ...late]);
  expect(asked.map(({ ids }) => ids)).toEqual([['1'], ['2'], ['3', '4', '5']]);
  expect(state.mostOnTheWay).toBe(2);
});

test('a question that fails fails for all who joined it, the connection is not used again, and the next question is another', async () => {
  const { pool, state } = createFake({ failing: new Set([0]) });
  const reads = createSharedReads(pool);
  const joined = await Promise.allSettled([reads.byId(byId, 1), reads.byId(byId, 2)]);
  expect(joined.map((one) => one.status === 'rejected' && String(one.reason))).toEqual(Array(2).fill('Error: question 0 failed'));
  expect((await reads.byId(byId, 1))?.id_key).toBe('1');
  await turn();
  expect(state.released).toEqual([true, false]);
});

test('no connection: whoever waited is told why, and the next one tries anew', async () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const connects = [() => Promise.reject(refused)];
  const fake = createFake();
  const normal = fake.pool.connect.bind(fake.pool);
  fake.pool.connect = (() => (connects.shift() ?? normal)()) as Pool['connect'];
  const reads = createSharedReads(fake.pool);
  await expect(Promise.all([reads.byId(byId, 1), reads.byId(byId, 2)])).rejects.toBe(refused);
  expect((await reads.byId(byId, 1))?.id_key).toBe('1');
});

test('who waits longer for a connection than the pool allows is refused as the pool would', async () => {
  const reads = createSharedReads(createFake({ connect: () => new Promise(() => {}), timeoutMs: 10 }).pool);
  const waiting = await Promise.allSettled([1, 2, 3].map((id) => reads.byId(byId, id)));
  expect(waiting.map((one) => one.status === 'rejected' && failureOf(one.reason)?.kind)).toEqual(Array(3).fill('pool-timeout'));
});

const gone = (): boolean => false;

test('what nobody waits for any more, once a connection is had, is not asked: neither its ids nor its list', async () => {
  const { reads, lent, asked } = await createBusy();
  const [left, stayed, shared, list, deserted] = [
    reads.byId(byId, 1, gone),
    reads.byId(byId, 2),
    Promise.allSettled([reads.byId(byId, 3, gone), reads.byId(byId, 3, () => true)]),
    reads.query(page, [20], gone),
    Promise.allSettled([reads.query(page, [40], gone), reads.query(page, [40], gone)]),
  ];
  const outcomes = Promise.allSettled([left, list]);
  await turn();
  lent.release();
  expect((await outcomes).map((one) => one.status === 'rejected' && one.reason)).toEqual(Array(2).fill(expect.any(ClientGoneError)));
  expect((await deserted).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect((await stayed)?.id_key).toBe('2');
  expect((await shared).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  expect(asked.slice(1)).toEqual([{ name: 'thing-by-id', ids: ['2', '3'] }]);
  // The connection is free again, also after a question that was not asked.
  await expect(reads.query(page, [60])).resolves.toHaveLength(1);
});

test('a question has at most 500 ids; who comes after them asks the next', async () => {
  const { pool, asked } = createFake();
  const reads = createSharedReads(pool);
  await Promise.all(Array.from({ length: 1_001 }, (_, id) => reads.byId(byId, id)));
  expect(asked.map(({ ids }) => ids.length)).toEqual([500, 500, 1]);
});

test('several numbers are asked as arrays of them, and each who asks gets the row of its place; 32 at most, equal ones once', async () => {
  const sent: unknown[][] = [];
  const query = async ({ values }: { values: string[] }) => {
    sent.push(values);
    const columns = values.map((array) => array.replaceAll(/[{}]/g, '').split(','));
    // In no order; of the second place there is nothing.
    const rows = (columns[0] ?? []).map((_, index) => ({ id_key: String(index + 1), version: columns.map((all) => all[index]).join('/') }));
    return { rows: rows.filter(({ id_key }) => id_key !== '2').toReversed() };
  };
  const reads = createSharedReads(createFake({ connect: async () => ({ query, release: () => {} }) }).pool);
  const asked = [
    [7, null, 1],
    [8, 0, 2],
    [7, null, 1],
    [-9, 5, 3],
  ] as const;
  const rows = await Promise.all(asked.map((numbers) => reads.byEach(page, numbers)));
  expect(rows.map((row) => row?.version)).toEqual(['7/NULL/1', undefined, '7/NULL/1', '-9/5/3']);
  expect(sent).toEqual([['{7,8,-9}', '{NULL,0,5}', '{1,2,3}']]);
  await Promise.all(Array.from({ length: 65 }, (_, number) => reads.byEach(page, [number])));
  expect(sent.slice(1).map(([first]) => first?.toString().split(',').length)).toEqual([32, 32, 1]);
  await expect(reads.byEach(page, [1, 0.5])).rejects.toThrow(/safe integers/);
  await expect(reads.byEach(page, [1, 'a\0b'])).rejects.toThrow(/NUL/);
});

test('what is no id is refused alone', async () => {
  const { pool, asked } = createFake();
  const reads = createSharedReads(pool);
  const [good, ...bad] = await Promise.allSettled([1, 1.5, Number.NaN, 2 ** 60].map((id) => reads.byId(byId, id)));
  expect(good).toMatchObject({ status: 'fulfilled', value: { id_key: '1' } });
  expect(bad.map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
  expect(asked).toEqual([{ name: 'thing-by-id', ids: ['1'] }]);
});

test('each reader learns of its own times, and the question belongs to the context of none', async () => {
  const { pool, state } = createFake();
  const times = new Map<string | undefined, Parameters<NoteTimes>>();
  const reads = createSharedReads(pool, {
    timesOf: () => {
      const reader = context.getStore();
      return reader === undefined ? undefined : (...both) => void times.set(reader, both);
    },
  });
  await Promise.all(['a', 'b'].map((reader) => context.run(reader, () => reads.byId(byId, 1))));
  await reads.byId(byId, 1);
  expect([...times.keys()]).toEqual(['a', 'b']);
  for (const both of times.values()) for (const ms of both) expect(ms).toBeGreaterThanOrEqual(0);
  expect(state.contexts).toEqual([undefined, undefined]);
});
