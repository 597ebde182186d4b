import { describe, expect, test } from 'vitest';
import { UsageError } from '#lib/errors.ts';
import { ownStackEnvironment } from '#loadtest/targets/local-stack.ts';
import { guardTarget } from '#loadtest/targets/target-guard.ts';

describe('load is sent', () => {
  test.each([
    ['http://127.0.0.1:8000', 'http://127.0.0.1:8000'],
    ['http://localhost:8000/', 'http://localhost:8000'],
    ['localhost:8000', 'http://localhost:8000'],
    ['http://127.1.2.3', 'http://127.1.2.3'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
    ['http://api.localhost', 'http://api.localhost'],
    ['http://2130706433:80', 'http://127.0.0.1'],
  ])('to this machine: %s', (target, origin) => {
    expect(guardTarget(target, [])).toBe(origin);
  });

  test.each([
    'http://example.com',
    'http://10.0.0.1',
    'http://10.127.0.1',
    'http://0.0.0.0:8000',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://[::2]',
  ])('to no other: %s', (target) => {
    expect(() => guardTarget(target, ['other.example'])).toThrow(/--allow-host/);
  });

  test('to a host that is named, and to no other because of it', () => {
    expect(guardTarget('https://staging.example:8443', ['Staging.Example'])).toBe('https://staging.example:8443');
    expect(() => guardTarget('https://www.staging.example', ['staging.example'])).toThrow(UsageError);
  });

  test.each(['', 'ftp://localhost', 'http://', 'http://user:secret@localhost'])('nowhere at all for "%s"', (target) => {
    expect(() => guardTarget(target, [])).toThrow(UsageError);
  });
});

describe('the environment of a stack of its own', () => {
  const env = ownStackEnvironment(
    {
      PATH: '/bin',
      DB_POOL_SIZE: '1',
      API_WORKERS: '3',
      POSTGRES_HOST: 'production.example',
      POSTGRES_PASSWORD_FILE: '/run/secrets/password',
      REDIS_HOST: 'cache.example',
      API_PORT: '8000',
      LOG_DIR: '/var/log/shop',
      LOCAL_DATA_DIR: '.local',
      SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/x',
      BOOTSTRAP_OPERATOR_KEY: 'x'.repeat(24),
      npm_config_cache: '/root/.npm',
      EMPTY: undefined,
    },
    '/tmp/throw-away',
    [1001, 1002, 1003],
  );

  test('has the settings that are to be tested', () => {
    expect(env).toMatchObject({ PATH: '/bin', DB_POOL_SIZE: '1', API_WORKERS: '3' });
  });

  test('has nothing that leads to a real database, cache, log, port or channel', () => {
    expect(Object.keys(env).toSorted()).toEqual([
      'ADMIN_PORT',
      'API_PORT',
      'API_WORKERS',
      'DB_POOL_SIZE',
      'LOCAL_DATA_DIR',
      'LOCAL_POSTGRES_PORT',
      'MONITOR_ENABLED',
      'PATH',
    ]);
    expect(env).toMatchObject({ LOCAL_DATA_DIR: '/tmp/throw-away', API_PORT: '1001', ADMIN_PORT: '1002', LOCAL_POSTGRES_PORT: '1003' });
  });
});
