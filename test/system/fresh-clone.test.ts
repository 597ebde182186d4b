import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { isAlive, processesWith } from '#test/support/processes.ts';
import { freePorts, remainsOf, startStack, type Ports, type StartedStack } from '#test/support/running-stack.ts';
import { newCustomer, product, productInStock, type Customer } from '#test/support/shop.ts';

const run = promisify(execFile);
const installTimeoutMs = 300_000;

const whyNot = existsSync('.git') ? undefined : 'this folder is no git checkout';

/** Ctrl-C in a terminal reaches every process of its foreground group: npm, its shell and the stack. */
const ctrlC = (stack: StartedStack): boolean => process.kill(-(stack.child.pid ?? 0), 'SIGINT');

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

/** When the last line of a log that holds that text was written, in ms of the epoch. */
async function timeOfLast(logFile: string, text: string): Promise<number> {
  const line = (await readFile(logFile, 'utf8')).split('\n').findLast((candidate) => candidate.includes(text)) ?? '';
  const [, date, time] = /(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d\.\d{3})/.exec(line) ?? [];
  if (date === undefined) throw new Error(`${logFile} has no line "${text}"`);
  return Date.parse(`${date}T${time}Z`);
}

describe('a fresh clone', { timeout: 120_000 }, () => {
  let folder = '';
  let clone = '';
  let dataDir = '';
  let ports: Ports;
  let stack: StartedStack;
  let apiUrl = '';
  let monitorUrl = '';
  let customer: Customer;
  let orderId = 0;

  const npmStart = (): StartedStack => startStack({ dataDir, ports, root: clone, command: ['npm', 'start'] });

  beforeAll(async () => {
    if (whyNot !== undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'atalaya-clone-'));
    clone = join(folder, 'atalaya');
    dataDir = join(clone, '.local');
    ports = await freePorts();
    await run('git', ['clone', '--quiet', process.cwd(), clone]);
    stack = npmStart();
    const env = await stack.serving();
    apiUrl = env['API_URL'] ?? '';
    monitorUrl = `http://127.0.0.1:${env['MONITOR_PORT']}`;
  }, installTimeoutMs);

  afterAll(async () => {
    if (whyNot !== undefined) return;
    if (isAlive(stack.child.pid ?? 0)) ctrlC(stack);
    await stack.exited;
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(({ skip }) => {
    if (whyNot !== undefined) skip(whyNot);
  });

  test('serves after npm start, and prints where and the operator key', async () => {
    await expect.poll(() => stack.stdout(), { timeout: 5_000 }).toContain('Ctrl-C stops everything.');
    const secrets = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as { BOOTSTRAP_OPERATOR_KEY: string };
    for (const shown of [apiUrl, monitorUrl, secrets.BOOTSTRAP_OPERATOR_KEY]) expect(stack.stdout()).toContain(shown);
  });

  test('is healthy, with the checks that say why', async () => {
    const response = await fetch(`${apiUrl}/health_check`);
    expect(response.status).toBe(200);
    const checks = { database: { status: 'up' }, redis: { status: 'disabled' }, db_pool: { health: 'healthy' } };
    expect(await response.json()).toMatchObject({ status: 'healthy', checks });
  });

  test('takes an order, shows it in the list, and its stock falls by exactly the quantity', async () => {
    customer = await newCustomer(apiUrl);
    const before = await productInStock(apiUrl, 3);
    const order = await customer.buy(before.id_key, 3);
    orderId = order.id_key;
    expect(order).toMatchObject({ client_id: customer.clientId, total: Math.round(before.price * 300) / 100 });
    expect(await customer.orders()).toMatchObject([{ id_key: orderId }]);
    expect((await product(apiUrl, before.id_key)).stock).toBe(before.stock - 3);
  });

  test('shows on the status page that the API and PostgreSQL are up', async () => {
    await expect.poll(() => textOf(monitorUrl), { timeout: 30_000 }).toContain('Everything is up');
    const page = await textOf(monitorUrl);
    for (const target of ['api', 'postgresql']) expect(page).toMatch(new RegExp(`data-target="${target}"\\s+data-status="up"`));
  });

  test('runs its tests by npm test while it serves, and they do not find it', async () => {
    const tests = ['test/integration/monitor/command-line', '-t', 'a second monitor'];
    const env = { ...cleanEnvironment(), LOCAL_DATA_DIR: '' };
    const { stdout } = await run('npm', ['test', '--', ...tests], { cwd: clone, env });
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^[1-9]\d* passed, 0 failed, 0 skipped$/);
  });

  test('ends in order after Ctrl-C, though it comes twice, and leaves no process, port or lock', async () => {
    ctrlC(stack);
    ctrlC(stack);
    await stack.exited;
    expect(await remainsOf(dataDir, ports)).toEqual([]);
    expect(processesWith(clone)).toEqual([]);
    const stops = await Promise.all([
      timeOfLast(join(dataDir, 'logs/monitor.log'), 'monitor stopped'),
      timeOfLast(join(dataDir, 'logs/app.log'), 'api stopped'),
      timeOfLast(join(dataDir, 'logs/postgres.log'), 'received fast shutdown request'),
    ]);
    expect(stops).toEqual(stops.toSorted((earlier, later) => earlier - later));
  });

  test('starts again within seconds, with the order still there', async () => {
    const startedAt = performance.now();
    stack = npmStart();
    await stack.serving();
    // The promise is 10 s on an idle machine; this bound only catches that something is installed or made anew.
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect(await customer.orders()).toMatchObject([{ id_key: orderId }]);
  });

  test('leaves nothing either when npm alone is told to end and nobody reads what it says', async () => {
    stack.child.stdout?.destroy();
    stack.child.stderr?.destroy();
    stack.child.kill('SIGTERM');
    await stack.exited;
    await expect.poll(() => remainsOf(dataDir, ports), { timeout: 30_000 }).toEqual([]);
  });
});
