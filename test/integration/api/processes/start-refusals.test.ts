import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PostgresSettings } from '#lib/settings.ts';
import { startApi } from '#test/support/api-process.ts';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';

async function newDatabase(): Promise<PostgresSettings> {
  const made = await createMigratedDatabase();
  onTestFinished(made.drop);
  return made.settings;
}

type Ended = { readonly exitCode: number | null; readonly lines: string[]; readonly output: string };

/** Starts the API and waits until it has given up. */
async function startUntilEnd(postgres: PostgresSettings, env: Readonly<Record<string, string>>): Promise<Ended> {
  const api = await startApi(postgres, env);
  const exitCode = await api.exited;
  return { exitCode, lines: api.stderr().trim().split('\n'), output: `${api.stderr()}${api.stdout()}` };
}

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
      'the pools do not fit max_connections, with the arithmetic',
      { DB_POOL_SIZE: '100', DB_MAX_OVERFLOW: '50' },
      /^error: 2 API_WORKERS × \(100 DB_POOL_SIZE \+ 50 DB_MAX_OVERFLOW\) = 300, \+ 10 .* = 310 connections, .* is 300;/,
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
