import { spawnSync } from 'node:child_process';
import { describe, expect } from 'vitest';
import { playPgbench } from '#bench/peers/pgbench.ts';
import { test } from '#test/support/migrated-database.ts';
import { addClient, brokenInvariants, openShop, operator } from '../api/shop/shop.ts';

const isMissing = spawnSync('pgbench', ['--version']).status !== 0;

describe.skipIf(isMissing)('pgbench as a peer', () => {
  test.for(['read', 'order'] as const)('asks the statements of the floor to %s, and gives a figure', async (workload, { db }) => {
    const shop = openShop(db);
    // Each connection orders for a client of its own.
    await addClient(shop);
    await addClient(shop);
    const products: { id: number }[] = [];
    for (const name of ['Faro', 'Boya', 'Ancla']) {
      const { json } = await shop.call(operator, 'POST /products', { body: { name, price: 3, stock: 100_000 } });
      products.push({ id: json.id_key as number });
    }
    const arena = { postgres: db.settings, connections: 2, catalogue: { goods: { products } }, users: [], phase: { durationMs: 1_000 } };
    const score = await playPgbench(workload, { ...arena, signal: AbortSignal.timeout(20_000) });
    expect(score).toMatchObject({ errors: 0, requestsPerSecond: expect.any(Number) });
    expect(score.requests).toBeGreaterThan(10);
    expect(await brokenInvariants(shop)).toEqual([]);
  });
});
