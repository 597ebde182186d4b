import { describe, expect, onTestFinished, test } from 'vitest';
import { call, eventually, startApi } from '#test/support/api-process.ts';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';
import { createDatabaseProxy } from './database-proxy.ts';
import { asOperator } from './running-api.ts';
import { asAdmin } from './worker-processes.ts';

describe('a database that is down', () => {
  test('at the start is waited for: the API lives, is not ready, answers 503, and recovers by itself', { timeout: 60_000 }, async () => {
    const made = await createMigratedDatabase();
    const door = await createDatabaseProxy(made.settings);
    const api = await startApi(door.settings, {});
    onTestFinished(async () => {
      api.child.kill('SIGKILL');
      await api.exited;
      await door.close();
      await made.drop();
    });
    await api.ready();
    expect((await call(`${api.url}/livez`)).status).toBe(200);
    expect((await call(`${api.url}/readyz`)).status).toBe(503);
    const health = await call(`${api.url}/health_check`);
    expect([health.status, health.body]).toMatchObject([
      503,
      { status: 'critical', checks: { database: { status: 'down', latency_ms: null } } },
    ]);
    const refused = await call(`${api.url}/products`);
    expect([refused.status, refused.body['code'], refused.headers.get('retry-after')]).toEqual([503, 'database_unavailable', '1']);

    await door.open();
    await eventually(
      () => call(`${api.url}/readyz`),
      ({ status }) => status === 200,
    );
    await eventually(
      () => call(`${api.url}/products`, { headers: asOperator }),
      ({ status }) => status === 200,
    );
    await eventually(
      () => call(`${api.adminUrl}/config`, { headers: asAdmin }),
      ({ body }) => body['server_max_connections'] === 300,
    );

    await door.close();
    await eventually(
      () => call(`${api.url}/products`),
      ({ status, body }) => status === 503 && body['code'] === 'database_unavailable',
    );
    expect((await call(`${api.url}/livez`)).status).toBe(200);
    await door.open();
    await eventually(
      () => call(`${api.url}/products`),
      ({ status }) => status === 200,
    );
    expect(api.stdout()).not.toMatch(/"stack"/);
    expect(await api.stop()).toBe(0);
  });

  test('at the start, and then has less room than configured, scales the pools of the workers that run', async () => {
    const made = await createMigratedDatabase();
    const door = await createDatabaseProxy(made.settings);
    const api = await startApi(door.settings, { DB_POOL_SIZE: '200' });
    onTestFinished(async () => {
      api.child.kill('SIGKILL');
      await api.exited;
      await door.close();
      await made.drop();
    });
    await api.ready();
    await door.open();
    await eventually(
      () => call(`${api.url}/health_check`, { headers: { connection: 'close' } }),
      ({ body }) => (body as { checks: { db_pool: { total_capacity: number } } }).checks.db_pool.total_capacity === 144,
    );
    expect(api.stdout()).toMatch(/each worker's pool opens 144 at most/);
  });

  test('at the start, and then refuses the pools, ends the API with that line', async () => {
    const made = await createMigratedDatabase();
    const door = await createDatabaseProxy(made.settings);
    onTestFinished(async () => {
      await door.close();
      await made.drop();
    });
    const api = await startApi(door.settings, { DB_POOL_SIZE: '200', MAX_CONNECTIONS_RESERVE: '299' });
    await api.ready();
    await door.open();
    expect(await api.exited).toBe(78);
    expect(api.stderr()).toMatch(/^error: 2 API_WORKERS × /);
  });
});
