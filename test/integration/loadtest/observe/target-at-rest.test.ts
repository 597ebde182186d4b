import { expect, test } from 'vitest';
import type { AdminReader } from '#loadtest/observe/admin-reader.ts';
import { waitForRest } from '#loadtest/observe/target-at-rest.ts';
import type { Target } from '#loadtest/targets/target.ts';

const target: Target = {
  kind: 'own',
  origin: 'http://127.0.0.1:1',
  loadtestKey: '',
  admin: { origin: 'http://127.0.0.1:2', token: '' },
  postgres: undefined,
  pid: undefined,
  stop: async () => {},
};

/** Says one more thing each time it is asked, and the last for ever. */
function adminSaying(...inUse: number[]): AdminReader & { readonly asked: () => number } {
  let asked = 0;
  const state = async () => ({
    atMs: 0,
    pool: { inUse: inUse[Math.min(asked++, inUse.length - 1)] ?? 0, capacity: 10, waiting: 0 },
    workers: [],
  });
  return { state, requestsServed: async () => 90 + asked, config: async () => undefined, close: async () => {}, asked: () => asked };
}
const database = {
  backends: async () => undefined,
  openSessions: async () => [],
  maxConnections: async () => undefined,
  close: async () => {},
};

test('waits until no connection is in use any more, and only then counts what was served', async () => {
  const admin = adminSaying(3, 2, 1, 0);
  const rest = await waitForRest(target, { admin, database }, 10);
  expect(admin.asked()).toBe(4);
  expect(rest).toMatchObject({ connectionsInUse: 0, requestsServed: 84 });
});

test('gives up after ten seconds and says what is still held', async () => {
  const startedMs = performance.now();
  const rest = await waitForRest(target, { admin: adminSaying(2), database }, undefined);
  expect(performance.now() - startedMs).toBeGreaterThan(9_900);
  expect(rest).toMatchObject({ connectionsInUse: 2, openTransactions: null, requestsServed: null });
  expect(rest.notes).toEqual([expect.stringMatching(/no access to the database/)]);
});
