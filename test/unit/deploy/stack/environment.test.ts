import { describe, expect, test } from 'vitest';
import { readLocalSettings } from '#deploy/local/settings.ts';
import { apiUrl, monitorUrl, programEnvironment, stackEnvironment, stackSummary } from '#deploy/local/stack/environment.ts';
import type { Environment } from '#lib/env.ts';

const secrets = {
  POSTGRES_PASSWORD: 'generated-password',
  ADMIN_TOKEN: 'generated-admin-token',
  MONITOR_PASSWORD: 'generated-monitor-password',
  AUTH_TOKEN_SECRET: 'generated-token-secret-of-32-chars',
  BOOTSTRAP_OPERATOR_KEY: 'atk_generated-operator-key',
  BOOTSTRAP_LOADTEST_KEY: 'atk_generated-loadtest-key',
};

const variablesOf = (env: Environment): Record<string, string> => stackEnvironment(readLocalSettings(env), secrets);

describe('the stack', () => {
  test('has a database of its own by default, with generated secrets', () => {
    expect(variablesOf({ LOCAL_DATA_DIR: '/d' })).toEqual({
      POSTGRES_HOST: '127.0.0.1',
      POSTGRES_PORT: '54320',
      POSTGRES_DB: 'ecommerce',
      POSTGRES_USER: 'ecommerce',
      POSTGRES_PASSWORD: 'generated-password',
      API_URL: 'http://127.0.0.1:8000',
      API_HOST: '127.0.0.1',
      API_PORT: '8000',
      ADMIN_HOST: '127.0.0.1',
      ADMIN_PORT: '9000',
      ADMIN_TOKEN: 'generated-admin-token',
      MONITOR_HOST: '127.0.0.1',
      MONITOR_PORT: '8080',
      MONITOR_PASSWORD: 'generated-monitor-password',
      LOG_DIR: '/d/logs',
      BACKUP_DIR: '/d/backups',
      MONITOR_DATA_DIR: '/d/monitor',
      AUTH_TOKEN_SECRET: 'generated-token-secret-of-32-chars',
      OPERATOR_KEY: 'atk_generated-operator-key',
      LOADTEST_KEY: 'atk_generated-loadtest-key',
    });
  });

  test('uses the database POSTGRES_HOST names, and never the generated password for it', () => {
    const variables = variablesOf({ POSTGRES_HOST: 'db.example', LOCAL_POSTGRES_PORT: '5999' });
    expect(variables).toMatchObject({ POSTGRES_HOST: 'db.example', POSTGRES_PORT: '5432' });
    expect(variables).not.toHaveProperty('POSTGRES_PASSWORD');
    expect(variablesOf({ POSTGRES_HOST: 'db.example', POSTGRES_PASSWORD: 'mine' })).toMatchObject({ POSTGRES_PASSWORD: 'mine' });
  });

  test.each([
    [{}, undefined, undefined],
    [{ REDIS_HOST: 'cache' }, 'true', 'cache'],
    [{ REDIS_HOST: 'cache', REDIS_ENABLED: 'false' }, undefined, undefined],
    [{ REDIS_ENABLED: 'true' }, 'true', 'localhost'],
  ])('with %j has REDIS_ENABLED %s and REDIS_HOST %s', (env, enabled, host) => {
    const variables = variablesOf(env);
    expect([variables['REDIS_ENABLED'], variables['REDIS_HOST']]).toEqual([enabled, host]);
  });

  test('keeps secrets the user has set', () => {
    expect(variablesOf({ ADMIN_TOKEN: 'x'.repeat(16), BOOTSTRAP_OPERATOR_KEY: 'y'.repeat(24) })).toMatchObject({
      ADMIN_TOKEN: 'x'.repeat(16),
      OPERATOR_KEY: 'y'.repeat(24),
    });
  });

  test.each([
    ['0.0.0.0', 'http://127.0.0.1'],
    ['::', 'http://[::1]'],
    ['::1', 'http://[::1]'],
    ['192.0.2.7', 'http://192.0.2.7'],
  ])('that listens on %s is reached at %s', (host, url) => {
    const settings = readLocalSettings({ API_HOST: host, ADMIN_HOST: host, MONITOR_HOST: host });
    expect([apiUrl(settings), monitorUrl(settings)]).toEqual([`${url}:8000`, `${url}:8080`]);
  });

  test('tells every problem with its variables at once', () => {
    expect(() => readLocalSettings({ API_PORT: 'x', MONITOR_ENABLED: 'perhaps', ADMIN_TOKEN: 'short' })).toThrow(
      expect.objectContaining({
        problems: expect.toSatisfy((problems: string[]) => problems.length === 3 && !problems.join().includes('short')),
      }),
    );
  });
});

describe('a program of the stack', () => {
  const stack = variablesOf({ LOCAL_DATA_DIR: '/d' });

  test('sees the caller’s variables behind those of the stack, and the bootstrap keys', () => {
    const env = programEnvironment({ PATH: '/bin', RATE_LIMIT_CALLS: '7', API_PORT: '' }, stack, '/d');
    expect(env).toMatchObject({ PATH: '/bin', RATE_LIMIT_CALLS: '7', API_PORT: '8000', BOOTSTRAP_OPERATOR_KEY: stack['OPERATOR_KEY'] });
  });

  test('does not see a file variable beside the value the stack gives in its place', () => {
    const env = programEnvironment({ POSTGRES_PASSWORD_FILE: '/run/secret', SMTP_URL_FILE: '/run/smtp' }, stack, '/d');
    expect(env).not.toHaveProperty('POSTGRES_PASSWORD_FILE');
    expect(env).toMatchObject({ SMTP_URL_FILE: '/run/smtp' });
  });
});

test('the summary names every address, the folder and the operator key, and no other secret', () => {
  const settings = readLocalSettings({ LOCAL_DATA_DIR: '/d' });
  const summary = stackSummary({ settings, env: stackEnvironment(settings, secrets), startMs: 2_345 });
  for (const text of ['http://127.0.0.1:8000', 'http://127.0.0.1:8080', 'http://127.0.0.1:9000', '127.0.0.1:54320', '/d/logs', '2.35 s']) {
    expect(summary).toContain(text);
  }
  expect(summary).toContain(secrets.BOOTSTRAP_OPERATOR_KEY);
  expect(summary).not.toMatch(/generated-(password|admin-token|token-secret|loadtest)/);
});
