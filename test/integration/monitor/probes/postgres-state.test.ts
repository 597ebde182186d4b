import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startEmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { createDatabase } from '#test/support/database.ts';
import { freePort } from '#test/support/free-port.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { look, looker } from './look.ts';

const timeout = 60_000;

async function connect(settings: PostgresSettings, name: string): Promise<Client> {
  const client = new Client(clientOptions(settings, name));
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end().catch(() => {}));
  return client;
}

async function database(): Promise<PostgresSettings> {
  const { settings, drop } = await createDatabase();
  onTestFinished(drop);
  return settings;
}

test('a database whose connections run out is degraded, and says how many there are', async () => {
  const settings = await database();
  expect(await look('postgres', { connections: '0.1%' }, settings)).toEqual({
    outcome: 'degraded',
    detail: expect.stringMatching(/ answers; \d+ of 297 connections are in use, [\d.]+ %$/),
  });
  expect(await look('postgres', { connections: '100%' }, settings)).toMatchObject({ outcome: 'ok' });
});

test('a transaction that is forgotten degrades it, and is named; one of a backup does not', async () => {
  const settings = await database();
  const begin = async (name: string) => {
    const client = await connect(settings, name);
    await client.query('BEGIN');
    await client.query('SELECT pg_sleep(1.1)');
    return client;
  };
  const limits = { longestTransaction: '1s' };
  await begin('atalaya-backup');
  expect((await look('postgres', limits, settings)).detail).not.toContain('atalaya-backup');
  await begin('forgotten');
  expect(await look('postgres', limits, settings)).toEqual({
    outcome: 'degraded',
    detail: expect.stringMatching(/a transaction of forgotten \(process \d+, idle in transaction\) is [\d.]+ s old/),
  });
});

test.each([
  ["SELECT pg_sleep(20), 12.5, 'a secret', E'it''s \\' secret', B'1'", 'SELECT pg_sleep(?), ?.?, ?, E?, B?'],
  ['SELECT pg_sleep(20), $a$ a secret $a$, 1', 'SELECT pg_sleep(?), ?'],
])('a statement that runs on is told by its text without values: %s', async (statement, told) => {
  const settings = await database();
  const client = await connect(settings, 'report');
  await client.query("SET client_connection_check_interval = '100ms'");
  void client.query(statement).catch(() => {});
  const lookAgain = looker('postgres', { slowStatement: '100ms' }, settings);
  // Others use the server too; of all statements the one that has run longest is told.
  const detail = async (): Promise<string> => (await lookAgain()).detail;
  await expect.poll(detail, { timeout: 15_000 }).toMatch(/ answers; a statement of report \(process \d+\) has run for [\d.]+ m?s: /);
  expect(await detail()).toContain(`: ${told}; not seen`);
  expect(await lookAgain()).toMatchObject({ outcome: 'degraded' });
});

test('a statement that waits for a lock is not the slow one', async () => {
  const settings = await database();
  const [holder, waiter, idle] = await Promise.all(['holder', 'waiter', 'idle'].map((name) => connect(settings, name)));
  await holder?.query('CREATE TABLE held ()');
  await holder?.query('BEGIN; LOCK TABLE held');
  void waiter?.query('SELECT FROM held').catch(() => {});
  await expect
    .poll(() => idle?.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"))
    .toMatchObject({ rowCount: 1 });
  await idle?.query('SELECT pg_sleep(0.2)');
  expect((await look('postgres', { slowStatement: '100ms' }, settings)).detail).not.toContain('held');
});

test('that slow statements cannot be seen is said, and degrades nothing', async () => {
  expect(await look('postgres', { slowStatement: '1h' }, await database())).toEqual({
    outcome: 'ok',
    detail: expect.stringContaining('not seen: slow statements that are over, without the extension pg_stat_statements'),
  });
});

test('a role that may not see others is told what is missing', async () => {
  const settings = await database();
  const client = await connect(settings, 'test');
  const role = `${settings.POSTGRES_DB}_blind`;
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
  onTestFinished(async () => void (await client.query(`DROP ROLE ${role}`)));
  expect(await look('postgres', {}, { ...settings, POSTGRES_USER: role, POSTGRES_PASSWORD: 'x' })).toEqual({
    outcome: 'ok',
    detail: expect.stringContaining('not seen: what others do'),
  });
});

test('a statement that is slow between two looks is told by its text without values', { timeout }, async () => {
  const server = { dataDir: join(await temporaryFolder(), 'postgres'), port: await freePort(), user: 'atalaya', password: 'x' };
  const { stop } = await startEmbeddedPostgres({ ...server, settings: { fsync: 'off', shared_preload_libraries: 'pg_stat_statements' } });
  onTestFinished(stop);
  const settings = {
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: server.port,
    POSTGRES_DB: 'postgres',
    POSTGRES_USER: 'atalaya',
    POSTGRES_PASSWORD: 'x',
  };
  const client = await connect(settings, 'test');
  await client.query('CREATE EXTENSION pg_stat_statements');
  const lookAgain = looker('postgres', { slowStatement: '20ms' }, settings);
  const sleepThrice = async () => {
    for (let i = 0; i < 3; i++) await client.query("SELECT pg_sleep(0.03), 'a secret'");
  };
  await sleepThrice();
  expect(await lookAgain()).toMatchObject({ outcome: 'ok' });
  await sleepThrice();
  expect(await lookAgain()).toEqual({
    outcome: 'degraded',
    detail: expect.stringMatching(/3 calls took \d+ ms each: SELECT pg_sleep\(\$1\), \$2$/),
  });
  expect(await lookAgain()).toMatchObject({ outcome: 'ok' });
});

test('a standby that stops following degrades its primary, and so does one that is gone', { timeout }, async () => {
  const dir = await temporaryFolder();
  const login = { user: 'atalaya', password: 'x' };
  const start = async (name: string, more: Readonly<Record<string, string>> = {}) => {
    const options = { dataDir: join(dir, name), port: await freePort(), ...login, settings: { fsync: 'off', hot_standby: 'on', ...more } };
    return { ...(await startEmbeddedPostgres(options)), port: options.port };
  };
  const first = await start('primary');
  await first.stop();
  await cp(join(dir, 'primary'), join(dir, 'standby'), { recursive: true });
  await writeFile(join(dir, 'standby', 'standby.signal'), '');
  const primary = await start('primary');
  onTestFinished(primary.stop);
  const settings = {
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: primary.port,
    POSTGRES_DB: 'postgres',
    POSTGRES_USER: 'atalaya',
    POSTGRES_PASSWORD: 'x',
  };
  const lookAgain = looker('postgres', { standbys: 1, replicationLag: '1s' }, settings);
  expect(await lookAgain()).toEqual({ outcome: 'degraded', detail: expect.stringContaining('0 of 1 standbys are connected') });

  const conninfo = `host=127.0.0.1 port=${primary.port} user=atalaya password=x application_name=second`;
  const standby = await start('standby', { primary_conninfo: conninfo });
  onTestFinished(standby.stop);
  await expect.poll(lookAgain, { timeout: 20_000, interval: 200 }).toMatchObject({ outcome: 'ok' });

  const client = await connect(settings, 'test');
  await client.query('CREATE TABLE followed (id int)');
  const onStandby = { ...settings, POSTGRES_PORT: standby.port };
  const paused = await connect(onStandby, 'test');
  await expect.poll(() => paused.query("SELECT FROM pg_class WHERE relname = 'followed'")).toMatchObject({ rowCount: 1 });
  expect(await look('postgres', { replicationLag: '1s' }, onStandby)).toMatchObject({ outcome: 'ok' });
  await paused.query('SELECT pg_wal_replay_pause()');
  await client.query('CREATE TABLE written (id int)');
  await expect
    .poll(lookAgain, { timeout: 20_000, interval: 200 })
    .toEqual({ outcome: 'degraded', detail: expect.stringMatching(/standby second is [\d.]+ s behind/) });
  expect(await look('postgres', { replicationLag: '1s' }, onStandby)).toEqual({
    outcome: 'degraded',
    detail: expect.stringMatching(/it is [\d.]+ s behind its primary$/),
  });
});
