import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { migrateUp } from '#api/db/migrate.ts';
import { migrations, type Migration } from '#api/db/migrations/index.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { call, eventually, startApi } from '#test/support/api-process.ts';
import { createDatabase } from '#test/support/database.ts';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';
import { asOperator } from './running-api.ts';
import { asAdmin, workersOf } from './worker-processes.ts';

async function newDatabase(): Promise<PostgresSettings> {
  const made = await createMigratedDatabase();
  onTestFinished(made.drop);
  return made.settings;
}

const newer: Migration = {
  name: '0999_newer',
  isExpansion: true,
  up: async (knex) => {
    await knex.raw('ALTER TABLE products ADD COLUMN colour text');
  },
  down: async (knex) => {
    await knex.raw('ALTER TABLE products DROP COLUMN colour');
  },
};

type Ended = { readonly exitCode: number | null; readonly lines: string[]; readonly output: string };

/** Starts the API and waits until it has given up. */
async function startUntilEnd(postgres: PostgresSettings, env: Readonly<Record<string, string>>): Promise<Ended> {
  const api = await startApi(postgres, env);
  const exitCode = await api.exited;
  return { exitCode, lines: api.stderr().trim().split('\n'), output: `${api.stderr()}${api.stdout()}` };
}

/** As the guide's own .env.production has it. */
const guidePool = { DB_POOL_SIZE: '50', DB_MAX_OVERFLOW: '100', DB_POOL_TIMEOUT: '10', DB_POOL_RECYCLE: '3600' };

describe('a start that cannot work is one line and exit code 78', () => {
  test.each(['API_PORT', 'ADMIN_PORT'])('when %s is in use, naming port and variable', async (variable) => {
    const holder = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void holder.close());
    await once(holder, 'listening');
    const port = String((holder.address() as AddressInfo).port);
    const { exitCode, lines } = await startUntilEnd(await newDatabase(), { [variable]: port });
    expect(lines).toEqual([
      `error: ${variable}=${port}: port ${port} on 127.0.0.1 is in use; stop what listens there or set ${variable} to a free port`,
    ]);
    expect(exitCode).toBe(78);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['the password is wrong', { POSTGRES_PASSWORD: 'wrong-password' }, /^error: .*check .*POSTGRES_PASSWORD$/],
    ['the password is missing', { POSTGRES_PASSWORD: '' }, /^error: .*POSTGRES_PASSWORD/],
    ['the database is unknown', { POSTGRES_DB: 'no_such_database' }, /^error: .*no_such_database/],
    [
      'the server leaves not even one connection a worker, with the arithmetic',
      { DB_POOL_SIZE: '100', DB_MAX_OVERFLOW: '50', MAX_CONNECTIONS_RESERVE: '298' },
      /^error: 2 API_WORKERS × \(100 DB_POOL_SIZE \+ 50 DB_MAX_OVERFLOW \+ 1 .*\) = 302 connections, .*\(300 max_connections − 298 .* leaves 2, /,
    ],
    ['the pool is empty', { DB_POOL_SIZE: '0', DB_MAX_OVERFLOW: '0' }, /^error: DB_POOL_SIZE=0 with DB_MAX_OVERFLOW=0/],
    ['logs cannot be written', { LOG_DIR: '/dev/null/logs' }, /^error: LOG_DIR=/],
    ['the address is not of this machine', { API_HOST: '203.0.113.7' }, /^error: API_HOST=203.0.113.7: this machine has no such address$/],
  ])('when %s', async (_, env, line) => {
    const { exitCode, lines, output } = await startUntilEnd(await newDatabase(), env);
    expect(lines).toEqual([expect.stringMatching(line) as unknown]);
    expect(exitCode).toBe(78);
    expect(output).not.toMatch(/node_modules|wrong-password/);
  });

  test('when a newer version has changed the schema in a way with which this one does not work', async () => {
    const postgres = await newDatabase();
    await migrateUp(postgres, { migrations: [...migrations, { ...newer, isExpansion: false }] });
    const { exitCode, lines } = await startUntilEnd(postgres, {});
    expect(lines).toEqual([
      expect.stringMatching(/^error: the database has migration 0999_newer, with which this version does not work; /),
    ]);
    expect(exitCode).toBe(78);
  });

  test('for each of several wrong values, all together', async () => {
    const { exitCode, lines, output } = await startUntilEnd(await newDatabase(), {
      API_PORT: 'x',
      RATE_LIMIT_PERIOD: '0',
      AUTH_TOKEN_SECRET: 'short',
    });
    const variables = lines.map((line) => /^error: ([A-Z_]+)=/.exec(line)?.[1]);
    expect(new Set(variables)).toEqual(new Set(['API_PORT', 'AUTH_TOKEN_SECRET', 'RATE_LIMIT_PERIOD']));
    expect(exitCode).toBe(78);
    expect(output).not.toContain('short');
  });
});

describe('a start that can work', { timeout: 60_000 }, () => {
  test('goes on a schema that a newer version has only expanded', async () => {
    const postgres = await newDatabase();
    await migrateUp(postgres, { migrations: [...migrations, newer] });
    const api = await startApi(postgres);
    onTestFinished(() => void api.child.kill('SIGKILL'));
    await api.ready();
    expect((await call(`${api.url}/readyz`)).status).toBe(200);
    expect(await api.stop()).toBe(0);
  });

  test('waits for a schema that is not migrated yet', async () => {
    const made = await createDatabase();
    onTestFinished(made.drop);
    const api = await startApi(made.settings);
    onTestFinished(() => void api.child.kill('SIGKILL'));
    await api.ready();
    expect(api.stdout()).toContain('lacks migration 0001_clients: run npm run migrate -- up');
    await migrateUp(made.settings);
    await eventually(
      () => call(`${api.url}/products`, { headers: asOperator }),
      ({ status }) => status === 200,
    );
    expect(await api.stop()).toBe(0);
  });

  test('scales pools that the server has no room for, and says so: in one warning, in /config and in /health_check', async () => {
    const api = await startApi(await newDatabase(), { ...guidePool, API_WORKERS: '4', API_INSTANCES: '2', MAX_CONNECTIONS_RESERVE: '20' });
    onTestFinished(() => void api.child.kill('SIGKILL'));
    await api.ready();
    const arithmetic =
      '4 API_WORKERS × (50 DB_POOL_SIZE + 100 DB_MAX_OVERFLOW + 1 for health checks) = 604 connections, but ' +
      "(300 max_connections − 20 MAX_CONNECTIONS_RESERVE) ÷ 2 API_INSTANCES leaves 140: each worker's pool opens 34 at most";
    expect(
      api
        .stdout()
        .split('\n')
        .filter((line) => line.includes('API_INSTANCES')),
    ).toEqual([expect.stringContaining(`"warn"`)]);
    const { body } = await call(`${api.adminUrl}/config`, { headers: asAdmin });
    expect(body['pool']).toEqual({ per_worker_max: 34, total_max: 136, configured_per_worker_max: 150, scaled_down: arithmetic });
    const health = await call(`${api.url}/health_check`);
    expect(health.body).toMatchObject({ checks: { db_pool: { size: 34, total_capacity: 34, configured_capacity: 150 } } });
  });

  test('opens no more connections than that, however many ask, nor does a worker that takes the place of another', async () => {
    const postgres = await newDatabase();
    const api = await startApi(postgres, { ...guidePool, API_WORKERS: '1', MAX_CONNECTIONS_RESERVE: '296', RATE_LIMIT_ENABLED: 'false' });
    onTestFinished(() => void api.child.kill('SIGKILL'));
    await api.ready();
    // Of each kind of question two at most are on the way.
    const kinds = ['/products', '/products/1', '/categories', '/categories/1', '/products/filter?search=lamp'];
    await Promise.all(Array.from({ length: 60 }, (_, i) => call(`${api.url}${kinds[i % kinds.length]}`)));
    const { body } = await call(`${api.adminUrl}/metrics`, { headers: asAdmin });
    expect(body['text']).toMatch(/^atalaya_pool_max 3$/m);
    expect(body['text']).toMatch(/^atalaya_pool_connections\{state="idle"\} 3$/m);
    for (const worker of workersOf(api)) process.kill(worker, 'SIGKILL');
    await eventually(
      () => call(`${api.adminUrl}/metrics`, { headers: asAdmin }),
      ({ body: after }) =>
        /^atalaya_worker_restarts_total 1$[^]*/m.test(String(after['text'])) && /^atalaya_pool_max 3$/m.test(String(after['text'])),
    );
  });
});
