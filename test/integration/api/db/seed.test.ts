import { createHash } from 'node:crypto';
import { describe, expect } from 'vitest';
import { migrations } from '#api/db/migrations/index.ts';
import { seedDemo } from '#api/db/seed/seed-demo.ts';
import { createPool } from '#api/db/pool.ts';
import { runCommand } from '#lib/run-command.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { createDatabase } from '#test/support/database.ts';
import { createMigratedDatabase, test } from '#test/support/migrated-database.ts';
import { brokenInvariants, openShop, operator, type Shop } from '../shop/shop.ts';
import { compiledOnce } from '#test/support/clean-environment.ts';

describe('the demo shop', () => {
  test('fills an empty database once, with ledger, totals and stock in order', async ({ db }) => {
    const shop = openShop(db);
    expect(await seedDemo(db.settings)).toEqual({ seeded: true, products: 1_000, clients: 200, orders: 500 });
    expect(await seedDemo(db.settings)).toEqual({ seeded: false });
    expect(await brokenInvariants(shop)).toEqual([]);
    const { rows } = await db.pool.query('SELECT status, count(*)::integer > 0 AS some FROM orders GROUP BY status ORDER BY status');
    expect(rows).toEqual([1, 2, 3, 4].map((status) => ({ status, some: true })));
    const { json } = await shop.call(operator, 'GET /products', { query: { limit: '1000' } });
    expect(json).toHaveLength(1_000);
  });

  test('is the same wherever it is made', async ({ db }) => {
    const other = await createMigratedDatabase();
    const pool = createPool(
      { ...other.settings, DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 5, DB_POOL_RECYCLE: 0 },
      'atalaya-test',
    );
    try {
      await Promise.all([seedDemo(db.settings), seedDemo(other.settings)]);
      expect(await contentOf(db)).toBe(await contentOf({ ...db, pool }));
    } finally {
      await pool.end();
      await other.drop();
    }
  });

  test('is made by one of two that start at once', async ({ db }) => {
    const outcomes = await Promise.all([seedDemo(db.settings), seedDemo(db.settings)]);
    expect(outcomes.filter(({ seeded }) => seeded)).toHaveLength(1);
  });

  test('leaves a database alone that holds anything', async ({ db }) => {
    await db.pool.query(`INSERT INTO categories (name) VALUES ('mine')`);
    expect(await seedDemo(db.settings)).toEqual({ seeded: false });
  });
});

describe('npm run migrate', () => {
  test('takes an empty database to a running shop in one command, and back', async () => {
    const database = await createDatabase();
    try {
      const { stdout } = await run(database.settings, 'up', '--seed-demo');
      expect(stdout).toMatch(/applied 0001_clients[\s\S]*seeded 1000 products, 200 clients and 500 orders/);
      const listed = JSON.parse((await run(database.settings, 'list', '--json')).stdout) as { applied: object[]; pending: object[] };
      expect([listed.applied.length, listed.pending.length]).toEqual([migrations.length, 0]);
      expect((await run(database.settings, 'to', 'none')).stdout).toMatch(/took back 0004_idempotency[\s\S]*took back 0001_clients/);
      expect((await run(database.settings, 'current')).stdout).toBe('none\n');
      await expect(run(database.settings, 'seed')).rejects.toMatchObject({
        status: 78,
        stderrTail: expect.stringContaining('migrate') as string,
      });
    } finally {
      await database.drop();
    }
  });
});

function run(settings: PostgresSettings, ...args: readonly string[]): Promise<{ stdout: string }> {
  const env = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  return runCommand({ file: process.execPath, args: ['api/db/cli.ts', ...args], env: { ...env, ...compiledOnce } }, { timeoutMs: 20_000 });
}

/** A digest over every row of the shop, but for when the statement of the seed ran. */
async function contentOf({ pool }: Pick<Shop, 'pool'>): Promise<string> {
  const digest = createHash('sha256');
  for (const table of ['categories', 'products', 'clients', 'orders', 'order_details', 'stock_movements']) {
    const { rows } = await pool.query(`SELECT t::text AS row FROM ${table} t ORDER BY 1`);
    digest.update(JSON.stringify(rows));
  }
  return digest.digest('hex');
}
