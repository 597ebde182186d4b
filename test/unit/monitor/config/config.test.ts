import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '#lib/errors.ts';
import { checkConfig } from '#monitor/commands/check-config.ts';
import { readMonitorSettings } from '#monitor/config/config.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

async function configFile(text: string): Promise<string> {
  const file = join(await temporaryFolder(), 'monitor.yaml');
  await writeFile(file, text);
  return file;
}

async function problemsOf(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const err = await readMonitorSettings(env).catch((thrown: unknown) => thrown);
  if (!(err instanceof ConfigError)) throw new Error('the settings were accepted', { cause: err });
  return err.problems;
}

/** Problems of a file, without its path. */
async function fileProblems(text: string): Promise<string[]> {
  const MONITOR_CONFIG = await configFile(text);
  return (await problemsOf({ MONITOR_CONFIG })).map((problem) => problem.replace(`${MONITOR_CONFIG}: `, ''));
}

describe('without a file', () => {
  test('PostgreSQL and the API are watched, told within 19 and 22 s', async () => {
    const report = await checkConfig({ API_URL: 'http://shop.example:8000/base' });
    expect(report.targets).toEqual([
      {
        name: 'postgresql',
        kind: 'postgres',
        where: 'PostgreSQL at localhost:5432',
        depends_on: [],
        detection_bound_ms: 19_000,
      },
      { name: 'api', kind: 'http', where: 'http://shop.example:8000/…', depends_on: ['postgresql'], detection_bound_ms: 22_000 },
    ]);
    expect(report.warnings).toEqual(['no alert channel is configured; set SLACK_WEBHOOK_URL or SMTP_URL']);
  });

  test('Redis is watched where the API uses it', async () => {
    const { probes } = await readMonitorSettings({ REDIS_ENABLED: 'true', REDIS_HOST: 'cache' });
    expect(probes.map(({ name, where }) => [name, where])).toContainEqual(['redis', 'Redis at cache:6379']);
  });
});

describe('without a file, the logs of the API beside it', () => {
  test.each([
    ['are rotated where it writes any', { LOG_DIR: '/var/log/shop' }, [['logs', '/var/log/shop', 14]]],
    ['are none where it writes to its standard output only', {}, []],
  ])('%s', async (_name, env, expected) => {
    const { rotation } = await readMonitorSettings(env);
    expect(rotation.map(({ name, dir, keep }) => [name, dir, keep])).toEqual(expected);
  });
});

describe('a file', () => {
  test('says what is watched and how', async () => {
    const MONITOR_CONFIG = await configFile(`
defaults: { interval: 10s, timeout: 2s }
probes:
  - name: shop
    kind: http
    url: https://shop.example/
    failures: 5
    conditions: ["[STATUS] < 400", "[RESPONSE_TIME] < 800"]
`);
    const { probes } = await readMonitorSettings({ MONITOR_CONFIG });
    expect(probes).toHaveLength(1);
    expect(probes[0]?.cadence).toEqual({ intervalMs: 10_000, timeoutMs: 2_000, confirmIntervalMs: 2_000, failures: 5, successes: 2 });
  });

  test('with mistakes is refused whole, each mistake named with its place', async () => {
    const problems = await fileProblems(`
defaults: { interval: often, pause: 3s }
probes:
  - { name: "bad name", kind: postgres }
  - { name: api, kind: http, url: /, conditions: ["[STATUS] is 200"] }
  - { name: x, kind: ftp }
`);
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^defaults\/interval: must be a duration from 50ms to/),
        expect.stringMatching(/^defaults: .*"pause"/),
        expect.stringMatching(/^probes\/0\/name: must be letters/),
        expect.stringMatching(/^probes\/1\/conditions\/0: "\[STATUS\] is 200" is no condition/),
        expect.stringMatching(/^probes\/2\/kind: /),
      ]),
    );
  });

  test.each([
    ['{ probes: [{ name: a, kind: postgres }, { name: a, kind: postgres }] }', 'the name a is used twice'],
    ['{ probes: [{ name: a, kind: postgres, dependsOn: [b] }] }', 'a depends on b, which is not watched'],
    [
      "{ probes: [{ name: a, kind: postgres }], actions: [{ target: a, admin: 'http://a:9000' }] }",
      'an action is of a, which is no probe of kind http',
    ],
    [
      "{ probes: [{ name: a, kind: http, url: / }], actions: [{ target: a, admin: 'http://a:9000', mode: act }] }",
      'ADMIN_TOKEN is not set: it opens the drain of an API, which actions with mode: act need',
    ],
    ['{ probes: [{ name: backups, kind: postgres }] }', 'the name backups is taken by the backup job'],
    ['{ probes: [{ name: a, kind: http, url: "ftp://x" }] }', 'probes/0/url: must be an http URL, or a path below API_URL'],
    ['{ probes: [{ name: a, kind: postgres, dependsOn: [b] }, { name: b, kind: postgres, dependsOn: [a] }] }', 'a depends on itself'],
  ])('%s is refused', async (text, problem) => {
    expect((await fileProblems(text))[0]).toBe(problem);
  });

  test('whose aliases would unfold without end is refused in one line that names it', async () => {
    const lines = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
    const problems = await fileProblems(['l0: &l0 [x]', ...lines, 'probes: *l12'].join('\n'));
    expect(problems).toEqual([expect.stringMatching(/^Excessive alias count/)]);
  });

  test('and the environment are refused together, every problem at once', async () => {
    const MONITOR_CONFIG = await configFile('{ probes: [{ name: a, kind: postgres, dependsOn: [b] }] }');
    expect(await problemsOf({ MONITOR_CONFIG, MONITOR_PORT: 'x', SMTP_URL: 'smtp://mail.example' })).toEqual([
      expect.stringMatching(/^MONITOR_PORT=x/),
      `${MONITOR_CONFIG}: a depends on b, which is not watched`,
    ]);
  });

  test('takes texts from the environment, and says which variable it lacks', async () => {
    const MONITOR_CONFIG = await configFile(
      'probes: [{ name: site, kind: certificate, address: "${SITE}:${PORT:-443}", serverName: "${SERVER_NAME}" }]',
    );
    const { probes } = await readMonitorSettings({ MONITOR_CONFIG, SITE: 'nginx', SERVER_NAME: 'shop.example www.shop.example' });
    expect(probes[0]?.where).toBe('certificate of shop.example at nginx:443');
    expect(await problemsOf({ MONITOR_CONFIG, SITE: 'nginx' })).toEqual([
      `${MONITOR_CONFIG}: \${SERVER_NAME} is not set, and no \${SERVER_NAME:-…} says what stands for it`,
    ]);
  });

  test('that is no YAML, or not there, is refused', async () => {
    expect((await fileProblems('probes: [')).join()).not.toBe('');
    expect(await problemsOf({ MONITOR_CONFIG: '/nowhere/monitor.yaml' })).toEqual([
      expect.stringMatching(/^MONITOR_CONFIG=\/nowhere\/monitor.yaml cannot be read/),
    ]);
  });
});

describe('the environment', () => {
  test('with mistakes is refused, and no secret is shown', async () => {
    const problems = await problemsOf({
      SLACK_WEBHOOK_URL: 'not-a-url-secret',
      SMTP_URL: 'http://user:secret@mail',
      MONITOR_PORT: '99999',
      BACKUP_SCHEDULE_UTC: '25:00',
      API_URL: 'shop',
      ALERT_EMAIL_TO: 'nobody',
    });
    expect(problems).toHaveLength(6);
    expect(problems.join('\n')).not.toContain('secret');
    expect(problems).toContainEqual('BACKUP_SCHEDULE_UTC=25:00: must be a time of day in UTC, such as 02:00');
  });

  test('with a mail server needs sender and recipients', async () => {
    expect(await problemsOf({ SMTP_URL: 'smtp://mail.example' })).toEqual([
      'ALERT_EMAIL_FROM is not set; it is required with SMTP_URL',
      'ALERT_EMAIL_TO is not set; it is required with SMTP_URL',
    ]);
  });

  test.each([
    ['MONITOR_PROT', 'did you mean MONITOR_PORT?'],
    ['SLACK_WEBHOK_URL', 'did you mean SLACK_WEBHOOK_URL?'],
    ['BACKUP_SHEDULE_UTC', 'did you mean BACKUP_SCHEDULE_UTC?'],
    ['POSTGRES_PASWORD_FILE', 'did you mean POSTGRES_PASSWORD?'],
    ['MONITOR_COLOUR', 'the monitor knows no such variable'],
  ])('with %s set is told of it', async (name, hint) => {
    expect((await checkConfig({ [name]: 'x' })).warnings).toContain(`${name} is set, but nothing reads it; ${hint}`);
  });

  test('may hold the variables of every other program', async () => {
    const foreign = {
      API_PORT: '8000',
      REDIS_CACHE_TTL: '300',
      PATH: '/bin',
      HOME: '/',
      POSTGRES_MAX_CONNECTIONS: '200',
      TLS_MODE: 'acme',
    };
    expect((await readMonitorSettings(foreign)).warnings).toEqual([]);
  });
});
