import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '#lib/exit-codes.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { startMailRecorder, type MailRecorder } from '#test/support/mail-recorder.ts';
import { processesWith } from '#test/support/processes.ts';
import { freePorts, remainsOf, startStack, type Ports, type StartedStack } from '#test/support/running-stack.ts';
import { newCustomer, productInStock, type Customer } from '#test/support/shop.ts';
import { asOperator, operatorPassword } from '#test/support/operator.ts';
import { startSlackRecorder, type SlackRecorder } from '#test/support/slack-recorder.ts';

const run = promisify(execFile);

/** Sees an outage of the API within about a second, and tells each of the many there are here. */
const quickWatch = `
flapping: off
defaults: { interval: 500ms, timeout: 1s, confirmInterval: 200ms, failures: 3, successes: 2 }
probes:
  - { name: postgresql, kind: postgres }
  - { name: api, kind: http, url: /health_check, dependsOn: [postgresql] }
delivery: { firstRetry: 100ms }
`;

const inTime = { timeout: 60_000, interval: 100 };

describe('the local stack', { timeout: 120_000 }, () => {
  let folder = '';
  let dataDir = '';
  let ports: Ports;
  let slack: SlackRecorder;
  let mail: MailRecorder;
  let stack: StartedStack;
  let apiUrl = '';
  let customer: Customer;

  const start = (): StartedStack => {
    const alerts = {
      SLACK_WEBHOOK_URL: slack.url,
      SMTP_URL: mail.url,
      ALERT_EMAIL_FROM: 'watch@shop.example',
      ALERT_EMAIL_TO: 'ops@shop.example',
    };
    const env = {
      ...alerts,
      MONITOR_CONFIG: join(folder, 'monitor.yaml'),
      MONITOR_PASSWORD: operatorPassword,
      BACKUP_ENABLED: 'false',
      RATE_LIMIT_ENABLED: 'false',
    };
    return startStack({ dataDir, ports, env });
  };

  const pidsOf = (program: RegExp): number[] =>
    processesWith(dataDir)
      .filter(({ commandLine }) => program.test(commandLine))
      .map(({ pid }) => pid);
  const api = /api\/(main|worker)\.ts/;
  const killAll = (program: RegExp): void => pidsOf(program).forEach((pid) => process.kill(pid, 'SIGKILL'));
  const health = async (): Promise<string> => {
    try {
      const response = await fetch(`${apiUrl}/health_check`, { signal: AbortSignal.timeout(2_000) });
      return ((await response.json()) as { status: string }).status;
    } catch {
      return 'unreachable';
    }
  };

  /** What the monitor thinks of all it watches, and how many messages it has still to send. */
  const monitorView = async (): Promise<{ status: string; pending: number }> => {
    const url = `http://127.0.0.1:${ports.MONITOR_PORT}/api/operator/status`;
    const response = await fetch(url, { headers: asOperator, signal: AbortSignal.timeout(2_000) });
    const { status, channels } = (await response.json()) as { status: string; channels: { pending: number }[] };
    return { status, pending: channels.reduce((sum, { pending }) => sum + pending, 0) };
  };
  const calm = { status: 'up', pending: 0 };

  /** Runs the outage and waits until all is well again and everything was sent. @returns what people were told of it */
  async function toldDuring(outage: () => Promise<void>): Promise<Record<'slack' | 'mail', string[]>> {
    await expect.poll(monitorView, inTime).toEqual(calm);
    const [texts, subjects] = [slack.texts().length, mail.subjects().length];
    await outage();
    await slack.until(() => slack.texts().length >= texts + 2, inTime.timeout);
    await mail.until(() => mail.subjects().length >= subjects + 2, inTime.timeout);
    await expect.poll(monitorView, inTime).toEqual(calm);
    return { slack: slack.texts().slice(texts), mail: mail.subjects().slice(subjects) };
  }

  const onceEach = [expect.stringMatching(/^\[FIRING\] api\b/), expect.stringMatching(/^\[RESOLVED\] api\b/)];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atalaya-stack-'));
    dataDir = join(folder, 'data');
    await writeFile(join(folder, 'monitor.yaml'), quickWatch);
    [slack, mail, ports] = await Promise.all([startSlackRecorder(), startMailRecorder(), freePorts()]);
    stack = start();
    apiUrl = (await stack.serving())['API_URL'] ?? '';
    customer = await newCustomer(apiUrl);
  });

  afterAll(async () => {
    stack.child.kill('SIGTERM');
    await stack.exited;
    await Promise.all([slack.close(), mail.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  test('runs once in a folder: a second start says in one line who holds it', async () => {
    const second = startStack({ dataDir, ports });
    await expect(second.exited).resolves.toBe(EXIT.busy);
    expect(second.stderr()).toMatch(
      new RegExp(
        `^error: ${dataDir} is in use by "npm start" \\(process ${stack.child.pid} on \\S+, since \\S+\\); stop it or set LOCAL_DATA_DIR to another folder\\n$`,
      ),
    );
    expect(await health()).toBe('healthy');
  });

  test('is not disturbed by one in another folder on the same ports, which names each port and its variable', async () => {
    const second = startStack({ dataDir: join(folder, 'other'), ports });
    await expect(second.exited).resolves.toBe(EXIT.config);
    const lines = second.stderr().trimEnd().split('\n');
    expect(lines.map((line) => line.split(':')[1]?.trim())).toEqual(
      ['API_PORT', 'ADMIN_PORT', 'MONITOR_PORT', 'LOCAL_POSTGRES_PORT'].map((name) => `${name}=${ports[name as keyof Ports]}`),
    );
    expect(await health()).toBe('healthy');
  });

  test.each([
    ['migrate', ['api/db/cli.ts', 'current']],
    ['api-key', ['api/auth/cli.ts', 'list']],
    ['backup', ['backups/cli.ts', 'list']],
  ])('is found by npm run %s by itself', async (_, argv) => {
    const { stderr } = await run(process.execPath, argv, { env: { ...cleanEnvironment(), LOCAL_DATA_DIR: dataDir } });
    expect(stderr).toBe('');
  });

  test('starts its database again when that is killed, with what was committed', async () => {
    const order = await customer.buy((await productInStock(apiUrl, 1)).id_key, 1);
    const [postmaster] = pidsOf(/postgres -D/);
    process.kill(postmaster ?? 0, 'SIGKILL');
    await expect.poll(() => stack.stderr(), inTime).toContain('PostgreSQL was ended by SIGKILL; starting it again in 0.2 s');
    await expect.poll(() => pidsOf(/postgres -D/).filter((pid) => pid !== postmaster).length, inTime).toBe(1);
    await expect.poll(() => customer.orders().catch(() => []), inTime).toMatchObject([{ id_key: order.id_key }]);
  });

  test('tells Slack and mail once that all API processes were killed, and once that it is back', async () => {
    const told = await toldDuring(async () => killAll(api));
    expect(told).toEqual({ slack: onceEach, mail: onceEach });
  });

  test('tells it once also when the monitor is killed between', async () => {
    const told = await toldDuring(async () => {
      const keepDown = setInterval(() => killAll(api), 100);
      // Not before both messages are noted as sent: one that is cut off may come again.
      await expect.poll(monitorView, inTime).toEqual({ status: 'down', pending: 0 });
      killAll(/monitor\/main\.mjs/);
      clearInterval(keepDown);
    });
    expect(told).toEqual({ slack: onceEach, mail: onceEach });
    expect(stack.stderr()).toContain('monitor was ended by SIGKILL; starting it again in 0.2 s');
  });

  test('leaves nothing when it is killed itself, and starts again at once with the orders there', async () => {
    stack.child.kill('SIGKILL');
    await stack.exited;
    stack = start();
    await stack.serving();
    expect(await customer.orders()).toHaveLength(1);
    stack.child.kill('SIGKILL');
    await stack.exited;
    await expect.poll(async () => (await remainsOf(dataDir, ports)).filter((remains) => remains !== 'stack.json'), inTime).toEqual([]);
  });
});
