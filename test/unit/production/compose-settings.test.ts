import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { apiEnv, readApiConfig } from '#api/config.ts';
import { problemTypes } from '#api/errors.ts';
import { planConnections } from '#api/processes/connection-budget.ts';
import { backupEnv } from '#backups/deps.ts';
import { readEnv, withoutSecrets } from '#lib/env.ts';
import { postgresEnv, renamedVariables } from '#lib/settings.ts';
import { channelEnv } from '#monitor/alerts/channels/kinds.ts';
import { monitorEnv } from '#monitor/config/monitor-env.ts';
import { readMonitorSettings } from '#monitor/config/config.ts';
import {
  composeFile,
  composeText,
  composeVariables,
  environmentOf as readEnvironment,
  exampleText,
  exampleVariables,
  filledExample,
  madeSecrets,
  optionalSecrets,
  requiredVariables,
  type Service,
} from './compose-file.ts';

const service = (name: string, variables: Readonly<Record<string, string>> = filledExample()): Service => {
  const found = composeFile(variables).services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
};

const environmentOf = (name: string, variables: Readonly<Record<string, string>> = filledExample()): Record<string, string> =>
  readEnvironment(service(name, variables), variables);

/** A way to people that the compose file does not offer is absent there, and in the example too. */
const isOffered = (name: string): boolean => !(name in channelEnv) || new RegExp(`\\b${name}(_FILE)?:`).test(composeText);

const secondsAfter = (text: string, directive: string): number => Number(new RegExp(`${directive}[ =](\\d+)s`).exec(text)?.[1]);

describe('the example', () => {
  const names = Object.keys(exampleVariables());

  test('lists every variable of the programs and of the compose file, once, and no other', () => {
    const older = Object.keys(renamedVariables);
    const known = [
      ...Object.keys({ ...apiEnv, ...monitorEnv, ...backupEnv }).filter(isOffered),
      ...composeVariables().filter((name) => !older.includes(name)),
      ...madeSecrets,
      ...optionalSecrets,
    ];
    expect(names.toSorted()).toEqual([...new Set(known)].toSorted());
  });

  test('says of each what it is', () => {
    const lines = exampleText.split('\n');
    const commentAbove = (name: string): string | undefined => {
      const at = lines.findIndex((line) => line.startsWith(`${name}=`));
      return lines.slice(0, at).findLast((line) => !/^[A-Z]/.test(line));
    };
    expect(names.filter((name) => !/^# \S/.test(commentAbove(name) ?? ''))).toEqual([]);
  });

  test('leaves nothing to fill in but what deploy/docker/secrets.sh makes', async () => {
    expect(() => readApiConfig(environmentOf('api-a'))).not.toThrow();
    expect(readEnv(postgresEnv, environmentOf('migrate'))).toMatchObject({ POSTGRES_USER: 'atalaya_owner' });
    const monitor = readMonitorSettings({ ...environmentOf('monitor'), MONITOR_CONFIG: 'deploy/docker/monitor.yaml' });
    await expect(monitor).resolves.toBeDefined();
  });

  test('shows the values that hold without it', () => {
    const bare = composeFile({ SECRETS_DIR: '/secrets', COMPOSE_PROJECT_NAME: 'atalaya' });
    expect(composeFile(filledExample())).toEqual(bare);
  });
});

test('whatever a program keeps secret reaches it as a file', () => {
  const shape = { ...apiEnv, ...monitorEnv, ...backupEnv };
  const shown = withoutSecrets(shape, Object.fromEntries(Object.keys(shape).map((name) => [name, 'x'])));
  const kept = Object.keys(shape).filter((name) => shown[name] === '(hidden)' && isOffered(name));
  expect(kept.filter((name) => ![...madeSecrets, ...optionalSecrets].includes(name))).toEqual([]);
  expect(kept.length).toBeGreaterThan(6);
});

test('what is missing is named at once, with the one command that makes all of it', () => {
  expect([...requiredVariables().keys()]).toEqual(['SECRETS_DIR']);
  const message = requiredVariables().get('SECRETS_DIR') ?? '';
  expect(message).toContain('`sh deploy/docker/secrets.sh .env.production`');
  expect(message).toContain(`(${madeSecrets.join(', ')})`);
});

describe('the compose file', () => {
  test.each([
    ['api-a', Object.keys(apiEnv)],
    ['api-b', Object.keys(apiEnv)],
    // The token of operators stays with them: actions of the monitor are a dry run here.
    ['monitor', Object.keys({ ...monitorEnv, ...backupEnv }).filter((name) => isOffered(name) && name !== 'ADMIN_TOKEN')],
    ['migrate', Object.keys(postgresEnv)],
  ])('hands %s every variable it reads', (name, expected) => {
    expect(Object.keys(environmentOf(name))).toEqual(expect.arrayContaining(expected));
  });

  test('takes the names of the older guide', () => {
    const guide = { ...filledExample(), API_WORKERS: '', LOG_LEVEL: '', UVICORN_WORKERS: '3', UVICORN_LOG_LEVEL: 'INFO' };
    expect(readApiConfig(environmentOf('api-a', guide))).toMatchObject({ API_WORKERS: 3, LOG_LEVEL: 'info' });
  });

  test('believes X-Forwarded-For from nginx alone', () => {
    const { networks } = service('nginx');
    const address = (networks as Record<string, { ipv4_address?: string }>)['web']?.ipv4_address;
    expect(readApiConfig(environmentOf('api-a')).TRUSTED_PROXIES).toEqual([address]);
  });

  test('sends nginx to the addresses the API has', () => {
    const addresses = ['api-a', 'api-b'].map(
      (name) => (service(name).networks as Record<string, { ipv4_address?: string }>)['web']?.ipv4_address,
    );
    const { API_A_ADDRESS, API_B_ADDRESS } = environmentOf('nginx');
    expect([API_A_ADDRESS, API_B_ADDRESS]).toEqual(addresses);
  });
});

describe('connections', () => {
  const serverMax = Number(
    service('postgres')
      .command?.find((argument) => argument.startsWith('max_connections='))
      ?.split('=')[1],
  );
  const { API_WORKERS = 0, API_INSTANCES, DB_POOL_SIZE, DB_MAX_OVERFLOW, MAX_CONNECTIONS_RESERVE } = readApiConfig(environmentOf('api-a'));
  const perInstance = API_WORKERS * (DB_POOL_SIZE + DB_MAX_OVERFLOW);
  /** Monitor (2), a backup with its verification (5), a migration (1), an API's start-up check (2), superuser_reserved_connections (3), and spare. */
  const others = 20;

  test('of both instances and of everything else fit into what the server accepts', () => {
    expect(2 * perInstance + others).toBeLessThanOrEqual(serverMax);
  });

  test('cannot be set so that one instance starts and both do not fit', () => {
    const needs = { workers: API_WORKERS, reserve: MAX_CONNECTIONS_RESERVE, instances: API_INSTANCES, serverMax };
    const { perWorkerMax } = planConnections({ ...needs, poolSize: 50, maxOverflow: 100 });
    expect(2 * API_WORKERS * (perWorkerMax + 1) + others).toBeLessThanOrEqual(serverMax);
    expect(perWorkerMax, 'what the guide asks for is scaled down').toBeLessThan(150);
  });
});

describe('nginx', () => {
  const template = readFileSync('deploy/nginx/nginx.conf.template', 'utf8');
  const proxy = readFileSync('deploy/nginx/proxy.conf', 'utf8');
  const { DRAIN_TIMEOUT } = readApiConfig(environmentOf('api-a'));

  test('leads to the API and to no other port', () => {
    const targets = [...template.matchAll(/^ *(?:server \$\{\w+\}|proxy_pass http:\/\/[^;]*?)(?::(\d+))?[ ;]/gm)];
    expect(targets.length).toBeGreaterThan(4);
    expect(new Set(targets.map(([, port]) => port ?? 'upstream'))).toEqual(new Set(['8000', 'upstream']));
    expect(template.match(/proxy_pass [^;]+/g)).toSatisfy((found: string[]) =>
      found.every((line) => /^proxy_pass http:\/\/api(_any)?$/.test(line)),
    );
  });

  test('sends a write to the second instance only when the first says that it was not begun, or sent nothing', () => {
    // An outcome that is not known must never look like that.
    expect(problemTypes.outcome_unknown.status).not.toBe(503);
    const locations = Object.fromEntries(
      [...template.matchAll(/location (@?[\w/-]+) \{([\s\S]*?)\n    \}/g)].map(([, name, body]) => [name, body]),
    );
    const retried = (name: string): string | undefined => /proxy_next_upstream ([^;]+);/.exec(locations[name] ?? '')?.[1];
    expect(retried('/')).toBe('http_503 non_idempotent');
    expect(retried('@unsent')).toBe('error timeout http_503');
    expect(locations['@unsent']).toMatch(/if \(\$upstream_bytes_sent !~ "\(\^\|\[ ,:\]\)0\$"\) \{\s*return 502;/);
    expect(template).not.toContain('proxy_intercept_errors');
  });

  test('leaves an instance alone for as long as it may drain', () => {
    expect(secondsAfter(template, 'fail_timeout')).toBeGreaterThanOrEqual(DRAIN_TIMEOUT);
  });

  test('gives up a request before the API is made to stop', () => {
    const grace = Number(/^(\d+)s$/.exec(service('api-a').stop_grace_period)?.[1]);
    expect(grace).toBeGreaterThan(DRAIN_TIMEOUT + secondsAfter(proxy, 'proxy_read_timeout'));
  });

  test('is given every value its template asks for', () => {
    const start = readFileSync('deploy/nginx/start.sh', 'utf8');
    const asked = [...new Set([...template.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? ''))].filter((name) => name !== 'NAME');
    const filled = [...(/envsubst '([^']*)'/.exec(start)?.[1] ?? '').matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? '');
    expect(filled.toSorted()).toEqual(asked.toSorted());
    expect([...Object.keys(environmentOf('nginx')), 'HTTPS_PORT_SUFFIX']).toEqual(expect.arrayContaining(asked));
  });
});
