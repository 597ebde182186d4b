import { describe, expect, test } from 'vitest';
import { composeFile, composeText, filledExample, madeSecrets, networksOf, optionalSecrets, type Service } from './compose-file.ts';

const { services, networks, secrets } = composeFile(filledExample());
const all = Object.entries(services);
const lasting = all.filter(([name]) => name !== 'migrate' && name !== 'restore');

const members = (network: string): string[] => all.filter(([, service]) => networksOf(service).includes(network)).map(([name]) => name);
const seconds = (duration: string): number => Number(/^(\d+)s$/.exec(duration)?.[1]);
const mebibytes = (size: string): number => {
  const [, number, unit] = /^(\d+)([MG])$/.exec(size) ?? [];
  return Number(number) * (unit === 'G' ? 1024 : 1);
};

describe.each(all)('%s', (_name, service: Service) => {
  test('is limited in processor, memory and processes', () => {
    const { cpus, memory, pids } = service.deploy.resources.limits;
    expect(Number(cpus)).toBeGreaterThan(0);
    expect(Number(cpus)).toBeLessThanOrEqual(2);
    expect(mebibytes(memory)).toBeGreaterThan(0);
    expect(pids).toBeGreaterThan(0);
  });

  test('cannot gain rights', () => {
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toContain('no-new-privileges:true');
    expect(service.read_only).toBe(true);
    expect(service.privileged ?? false).toBe(false);
    expect(service.network_mode).toBeUndefined();
    expect((service.volumes ?? []).join()).not.toContain('docker.sock');
  });

  test('has capped logs, an init process and time to stop', () => {
    expect(service.logging).toEqual({ driver: 'json-file', options: { 'max-size': '10m', 'max-file': '5' } });
    expect(service.init).toBe(true);
    expect(seconds(service.stop_grace_period)).toBeGreaterThanOrEqual(10);
  });

  test('runs an image of a stated version', () => {
    expect(service.image).toMatch(/^[a-z0-9./-]+:[\w.-]+$/);
    expect(service.image).not.toMatch(/:latest$/);
  });
});

describe.each(lasting)('%s', (_name, service: Service) => {
  test('is started again when it ends, and says whether it is healthy', () => {
    expect(service.restart).toBe('unless-stopped');
    expect(service.healthcheck.test?.length).toBeGreaterThan(0);
    expect(seconds(service.healthcheck.start_period ?? '')).toBeGreaterThan(0);
  });
});

test('migrations run once', () => {
  expect(services['migrate']).toMatchObject({ restart: 'no', command: ['node', 'api/db/cli.ts', 'up'] });
});

test('only a restore that is run by hand shares the socket by which PostgreSQL takes whoever comes for the superuser', () => {
  const sharing = all.filter(([, { volumes = [] }]) => volumes.some((volume) => volume.startsWith('postgres-socket:')));
  expect(sharing.map(([name]) => name)).toEqual(['postgres', 'restore']);
  expect(services['restore']).toMatchObject({ profiles: ['restore'], restart: 'no' });
});

test('only nginx is reachable from other machines, and by IPv4 only', () => {
  const published = all.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
  expect(published.filter((line) => !line.includes(' 127.0.0.1:'))).toEqual(['nginx 0.0.0.0:80:8080', 'nginx 0.0.0.0:443:8443']);
});

test('only nginx, certbot, the monitor and, for mail and traces, the API have a way to the internet, and nginx none to the database', () => {
  const open = Object.entries(networks).filter(([, { internal }]) => internal !== true);
  expect(open.map(([name]) => name)).toEqual(['edge', 'outbound']);
  expect(members('edge').toSorted()).toEqual(['certbot', 'monitor', 'nginx']);
  expect(members('outbound').toSorted()).toEqual(['api-a', 'api-b']);
  expect(members('web').toSorted()).toEqual(['api-a', 'api-b', 'nginx']);
  expect(members('backend').toSorted()).toEqual(['api-a', 'api-b', 'migrate', 'monitor', 'postgres', 'redis', 'restore']);
});

test('nothing keeps a capability', () => {
  expect(all.filter(([, { cap_add }]) => cap_add !== undefined).map(([name]) => name)).toEqual([]);
});

test('a server with 4 GB holds all of it', () => {
  const running = all.filter(([name]) => name !== 'restore');
  const total = running.reduce((sum, [, { deploy }]) => sum + mebibytes(deploy.resources.limits.memory), 0);
  expect(total).toBeLessThanOrEqual(4096);
});

describe('a secret', () => {
  const names = [...madeSecrets, ...optionalSecrets];

  test('is a file of its own in the folder that SECRETS_DIR names', () => {
    const expected = names.map((name) => [name.toLowerCase(), { file: `/secrets/${name.toLowerCase()}` }]);
    expect(secrets).toEqual(Object.fromEntries(expected));
  });

  test('stands in no environment, no argument list and no label', () => {
    const variables = { ...filledExample(), ...Object.fromEntries(names.map((name) => [name, 'the-secret'])) };
    expect(JSON.stringify(composeFile(variables))).not.toContain('the-secret');
    for (const name of names) expect(composeText).not.toContain(`\${${name}`);
  });

  test.each([
    ['POSTGRES_OWNER_PASSWORD', ['migrate', 'postgres']],
    ['POSTGRES_MONITOR_PASSWORD', ['monitor', 'postgres']],
    ['POSTGRES_PASSWORD', ['api-a', 'api-b', 'postgres']],
    ['REDIS_PASSWORD', ['api-a', 'api-b', 'monitor', 'redis']],
    ['AUTH_TOKEN_SECRET', ['api-a', 'api-b']],
    ['ADMIN_TOKEN', ['api-a', 'api-b']],
    ['METRICS_TOKEN', ['api-a', 'api-b', 'monitor']],
    ['MONITOR_PASSWORD', ['monitor']],
    ['BOOTSTRAP_OPERATOR_KEY', ['api-a', 'api-b']],
    ['BOOTSTRAP_LOADTEST_KEY', ['api-a', 'api-b']],
    ['SLACK_WEBHOOK_URL', ['monitor']],
    ['WEBHOOK_URL', ['monitor']],
    ['WEBHOOK_KEY', ['monitor']],
    ['SMTP_URL', ['monitor']],
    ['MAIL_SMTP_URL', ['api-a', 'api-b']],
    ['OTEL_EXPORTER_OTLP_HEADERS', ['api-a', 'api-b']],
  ])('%s reaches %j only', (name, holders) => {
    const found = all.filter(([, service]) => service.secrets?.includes(name.toLowerCase()));
    expect(found.map(([service]) => service).toSorted()).toEqual(holders);
  });

  test('that changes starts anew what reads it', () => {
    const [before, after] = ['one', 'two'].map((SECRETS_STAMP) => composeFile({ ...filledExample(), SECRETS_STAMP }).services);
    const changed = all.map(([name]) => name).filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]));
    expect(changed.toSorted()).toEqual(['api-a', 'api-b', 'migrate', 'monitor', 'redis']);
  });
});
