import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { createDatabase } from '#api/db/tx.ts';
import { Exchange, type ApiContext } from '#api/http/exchange.ts';
import { readRequest } from '#api/http/read-request.ts';
import { read } from '#api/http/route.ts';
import { nothing } from '#api/http/view.ts';

/** What a request leaves behind must go with the quick collections of young objects: waiting for a full one, memory doubles. */

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;

const count = 3_000;
const weightBytes = 4_000;
/** Hangs on what is made; a heap that grew by all of these kept them. */
const weigh = (): unknown[] => Array.from<unknown>({ length: weightBytes / 8 }).fill(0.5);

async function settledHeapBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await turn();
    collect({ type: 'minor' });
  }
  return process.memoryUsage().heapUsed;
}

/** Share of what was made that collections of young objects alone have left behind. */
async function shareKept(make: (weight: unknown) => unknown): Promise<number> {
  for (let warmUp = 0; warmUp < 500; warmUp += 1) await make(undefined);
  const before = await settledHeapBytes();
  for (let made = 0; made < count; made += 1) await make(weigh());
  return ((await settledHeapBytes()) - before) / (count * weightBytes);
}

const route = read({ path: '/x', access: 'public', summary: '', answers: { 204: nothing }, handler: () => Promise.resolve() });

test('a request that has been read is forgotten at once', async () => {
  const share = await shareKept((weight) => {
    const ctx = { state: new Exchange('r-1', '192.0.2.1', '/x'), req: { headers: {} }, res: { weight } };
    return readRequest(route, ctx as unknown as ApiContext);
  });
  expect(share).toBeLessThan(0.2);
});

test('so is a transaction that has ended', async () => {
  let weight: unknown;
  const stream = { cork: () => {}, uncork: () => {} };
  const newClient = () => ({ weight, connection: { stream }, query: async (text: string) => ({ command: text }), release: () => {} });
  const database = createDatabase({ connect: async () => newClient() } as unknown as Pool);
  const share = await shareKept((given) => {
    weight = given;
    return database.transact(() => Promise.resolve(), { isOnce: false });
  });
  expect(share).toBeLessThan(0.2);
});
