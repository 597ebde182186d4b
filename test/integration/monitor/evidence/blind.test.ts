// Fifteen causes over one stack, with what each needs to be injected; so it is long.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect as connectTo, createServer as createTcpServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { adminToken, call, loadtestKey, operatorKey } from '#test/support/api-process.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { listen } from '#test/support/listen.ts';
import { startMailRecorder } from '#test/support/mail-recorder.ts';
import { mountTmpfs } from '#test/support/mount-tmpfs.ts';
import { hasRedis } from '#test/support/redis.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { startNameServer } from '../probes/name-server.ts';
import { planFor, startMonitor } from '../run-monitor.ts';
import { judge, type CauseName } from './judge.ts';
import { metricsToken, startStack, type Stack } from './stack.ts';

let stack: Stack;
beforeAll(async () => {
  if (hasRedis) stack = await startStack();
}, 120_000);
afterAll(async () => {
  if (hasRedis) await stack.stop();
}, 60_000);

/** What stands around the stack: a web server, a site with a certificate, a name server, a disk, and a way to the API. */
async function surround() {
  const dir = await temporaryFolder();
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  const hasDisk = mountTmpfs(disk, 'size=2m');
  const nginx = createServer((_request, response) => response.end('ok'));
  const site = createHttpsServer(certificate(dir, 'good', ['20260101000000Z', '20360101000000Z']), (_request, response) =>
    response.end('ok'),
  );
  let doesName = true;
  const nameServer = await startNameServer(() => (doesName ? ['192.0.2.1'] : 'nothing'));
  const [nginxPort, sitePort] = [await listen(nginx), await listen(site)];
  const [api, admin] = [await way(stack.api().url), await way(stack.api().adminUrl)];
  return { dir, disk, hasDisk, nginx, nginxPort, site, sitePort, nameServer, silenceNames: () => void (doesName = false), api, admin };
}

type Surroundings = Awaited<ReturnType<typeof surround>>;

/** Takes connections as what stands behind it would, until it is led elsewhere. */
async function way(first: string): Promise<{ readonly url: string; readonly leadTo: (url: string) => void }> {
  let port = Number(new URL(first).port);
  const server = createTcpServer((socket) => {
    const behind = connectTo(port, '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    socket.on('error', () => behind.destroy());
    behind.on('error', () => socket.destroy());
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, leadTo: (url) => void (port = Number(new URL(url).port)) };
}

function certificate(dir: string, name: string, [from, until]: readonly [string, string]) {
  const files = {
    key: join(dir, `${name}.key`),
    cert: join(dir, `${name}.pem`),
    asked: join(dir, `${name}.csr`),
    settings: join(dir, `${name}.cnf`),
  };
  const own = `database=${join(dir, `${name}.txt`)}\nnew_certs_dir=${dir}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nx509_extensions=x`;
  writeFileSync(files.settings, `[ca]\ndefault_ca=d\n[d]\n${own}\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:shop.example\n`);
  writeFileSync(join(dir, `${name}.txt`), '');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-new', ...curve, '-subj', '/CN=shop.example', '-keyout', files.key, '-out', files.asked], {
    stdio: 'pipe',
  });
  const dates = ['-startdate', from, '-enddate', until];
  const signing = ['ca', '-selfsign', '-batch', '-notext', '-config', files.settings, '-keyfile', files.key, '-in', files.asked];
  execFileSync('openssl', [...signing, ...dates, '-out', files.cert], { stdio: 'pipe' });
  return { key: readFileSync(files.key), cert: readFileSync(files.cert) };
}

/** A message that wakes somebody, and is not of the monitor itself. */
const isCall = (text: string): boolean => /^\[(?:FIRING|NOTICE)\] (?!monitor\.)/.test(text);

/** Watches all of it alike, whatever is injected. */
const configOf = (around: Surroundings, isDirect: boolean) => ({
  defaults: {
    interval: '200ms',
    timeout: '3s',
    confirmInterval: '100ms',
    failures: 2,
    successes: 1,
    startGrace: '0s',
    warnAfter: '300ms',
    slow: '60s',
  },
  probes: [
    { name: 'postgresql', kind: 'postgres', longestTransaction: '6s' },
    { name: 'redis', kind: 'redis' },
    {
      name: 'api',
      kind: 'http',
      url: '/health_check',
      dependsOn: ['postgresql'],
      degradedBy: ['redis'],
      // Longer than it takes to be sure that Redis hangs.
      warnAfter: '8s',
      conditions: ['[STATUS] == 200', '[BODY].status != critical'],
      degradedUnless: ['[BODY].status == healthy'],
    },
    { name: 'shop', kind: 'http', url: '/api/v1/products', dependsOn: ['postgresql', 'api'] },
    { name: 'nginx', kind: 'http', url: `http://127.0.0.1:${around.nginxPort}/` },
    {
      name: 'certificate',
      kind: 'certificate',
      address: `127.0.0.1:${around.sitePort}`,
      serverName: 'shop.example',
      tlsMode: 'self-signed',
    },
    { name: 'name', kind: 'dns', host: 'shop.example', server: around.nameServer },
    ...(around.hasDisk ? [{ name: 'disk', kind: 'disk', path: around.disk }] : []),
    { name: 'log', kind: 'log', path: join(stack.logDir, 'error.log'), errors: 5 },
  ],
  actions: [{ target: 'api', admin: isDirect ? stack.api().adminUrl : around.admin.url }],
  backups: { settle: '1h', interval: '200ms' },
});

const post = (url: string, body: object, key = operatorKey) =>
  call(url, { method: 'POST', headers: { 'x-api-key': key }, body }).catch(() => {});
const person = () => ({ name: 'Ana', lastname: 'Vega', email: `${unique()}@shop.example`, password: unique() + unique() });
const unique = (): string => Math.random().toString(36).slice(2);

/** Does something to the whole API, its worker included. */
function signalApi(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  const { pid } = stack.api().child;
  const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  for (const each of [pid ?? 0, ...workers]) process.kill(each, signal);
}

/** Every statement on the table does what the trigger says, until the test is over. */
async function trigger(table: string, body: string): Promise<void> {
  const client = await stack.connect('atalaya-test');
  await client.query(`CREATE FUNCTION hurt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN new; END $$`);
  await client.query(`CREATE TRIGGER hurt BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION hurt()`);
  onTestFinished(async () => {
    await client.query('DROP FUNCTION hurt CASCADE');
    await client.end();
  });
}

type Injection = {
  readonly inject: (around: Surroundings) => Promise<unknown> | void;
  /** What the monitor is started with, where the cause lies there. */
  readonly env?: (around: Surroundings) => Readonly<Record<string, string>>;
  readonly config?: object;
  /** The API is reached through a way that can be led elsewhere. */
  readonly isBehindWay?: true;
};

const injections: Readonly<Record<CauseName, Injection>> = {
  'PostgreSQL stopped': { inject: () => stack.stopPostgres() },
  'pool used up by a held lock': {
    inject: async () => {
      const holder = await stack.connect('report-by-hand');
      onTestFinished(() => holder.end());
      await holder.query('BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
      for (let n = 0; n < 8; n += 1) void call(`${stack.api().url}/api/v1/products/${n + 1}`).catch(() => {});
    },
  },
  'transaction left open': {
    inject: async () => {
      const client = await stack.connect('forgotten-shell');
      onTestFinished(() => client.end());
      await client.query('BEGIN; SELECT 1 FROM products');
    },
  },
  'Redis gone': { inject: () => stack.redis().stop() },
  'Redis frozen': { inject: () => stack.redis().freeze() },
  'API frozen': {
    inject: () => {
      signalApi('SIGSTOP');
      onTestFinished(() => signalApi('SIGCONT'));
    },
  },
  'API gone': {
    inject: () => signalApi('SIGKILL'),
  },
  'nginx gone': {
    inject: ({ nginx }) => {
      nginx.close();
      nginx.closeAllConnections();
    },
  },
  'certificate over': {
    inject: ({ site, dir }) => site.setSecureContext(certificate(dir, 'old', ['20250101000000Z', '20250201000000Z'])),
  },
  'DNS gone': { inject: ({ silenceNames }) => silenceNames() },
  'disk full': {
    inject: ({ disk, hasDisk }) => {
      if (hasDisk) writeFileSync(join(disk, 'dump'), Buffer.alloc(2 * 1024 * 1024 - 4_096));
    },
  },
  'backup failed': {
    inject: () => {},
    config: { backups: { settle: '0s', interval: '200ms' } },
    env: ({ dir }) => {
      writeFileSync(
        join(dir, 'pg_dump'),
        '#!/bin/sh\n[ "$1" = --version ] && exec echo "pg_dump (PostgreSQL) 15.18"\necho "pg_dump: error: could not write" >&2\nexit 1\n',
      );
      chmodSync(join(dir, 'pg_dump'), 0o755);
      return { PATH: `${dir}${delimiter}${cleanEnvironment()['PATH']}` };
    },
  },
  'errors in the log': {
    inject: async () => {
      await trigger('categories', "RAISE EXCEPTION 'the ledger is broken'");
      for (let n = 0; n < 8; n += 1) await post(`${stack.api().url}/api/v1/categories`, { name: unique() });
    },
  },
  'bad release': {
    isBehindWay: true,
    inject: async ({ api, admin }) => {
      const database = `shop_${unique()}`;
      const released = await stack.release(database);
      onTestFinished(async () => void (await released.stop()));
      const client = await stack.connect('atalaya-test', database);
      await client.query('ALTER TABLE products RENAME TO goods');
      await client.end();
      admin.leadTo(released.adminUrl);
      api.leadTo(released.url);
    },
  },
  'load test': {
    inject: async () => {
      await trigger('clients', 'PERFORM pg_sleep(1 + random())');
      const isOver = new AbortController();
      onTestFinished(() => isOver.abort());
      const client = async (): Promise<void> => {
        while (!isOver.signal.aborted) await post(`${stack.api().url}/api/v1/clients`, person(), loadtestKey);
      };
      const reader = async (): Promise<void> => {
        const headers = { 'x-api-key': loadtestKey };
        while (!isOver.signal.aborted) await call(`${stack.api().url}/api/v1/products?limit=none`, { headers }).catch(() => {});
      };
      for (let n = 0; n < 16; n += 1) void client();
      for (let n = 0; n < 4; n += 1) void reader();
    },
  },
};

/** The daily job looks at the clock once a minute. */
const toldWithinMs = 100_000;
/** Evidence has two seconds, which a machine that is used up does not always give: the message then says what was not seen. */
const patience = { timeout: 150_000, retry: 2 };
const secrets = ['a-password-of-the-tests', metricsToken, adminToken, operatorKey, loadtestKey, 'secret-of-the-webhook'];

describe.skipIf(!hasRedis)('whoever is woken reads first what is the cause, by the words of the message alone', () => {
  test.for(Object.keys(injections) as CauseName[])('%s', patience, async (name, { skip }) => {
    const { inject, env, config, isBehindWay } = injections[name];
    const around = await surround();
    skip(name === 'disk full' && !around.hasDisk, 'this user may not mount a tmpfs');
    onTestFinished(stack.heal);
    const [slack, mail] = await Promise.all([startSlackRecorder(), startMailRecorder()]);
    onTestFinished(async () => void (await Promise.all([slack.close(), mail.close()])));
    const { url } = stack.api();
    const monitor = await startMonitor(
      planFor(
        around.dir,
        {
          ...Object.fromEntries(Object.entries(stack.settings).map(([key, value]) => [key, String(value)])),
          REDIS_ENABLED: 'true',
          REDIS_PORT: `${stack.redis().port}`,
          API_URL: isBehindWay ? around.api.url : url,
          METRICS_TOKEN: metricsToken,
          SLACK_WEBHOOK_URL: slack.url,
          SMTP_URL: mail.url,
          DEPLOYMENT_NAME: 'tests',
          BACKUP_ENABLED: 'true',
          BACKUP_DIR: join(around.dir, 'backups'),
          ...env?.(around),
        },
        { ...configOf(around, !isBehindWay), ...config },
      ),
    );
    onTestFinished(() => monitor.kill());
    if (name !== 'backup failed') await monitor.untilStatus((view) => view.targets.every(({ status }) => status === 'up'));
    await inject(around);

    await slack.until(() => slack.texts().some(isCall), toldWithinMs);
    const said = slack.messages.find(({ text }) => isCall(text));
    expect([judge(said?.text ?? ''), said?.text]).toEqual([name, expect.anything()]);
    await mail.until(() => mail.mails.some(({ subject }) => isCall(subject)));
    const shown = [JSON.stringify(said?.body), ...plainParts(mail.mails.find(({ subject }) => isCall(subject))?.text ?? '')];
    for (const part of shown) {
      for (const label of ['Broken for', 'Since', 'Next', 'Last looks', 'On record']) expect(part).toContain(label);
      expect(part).toContain(name === 'PostgreSQL stopped' ? 'Not seen' : 'Sessions');
      expect(secrets.filter((secret) => part.includes(secret))).toEqual([]);
    }
    expect(shown).toHaveLength(3);
  });
});

/** The text and the HTML of a mail, decoded. */
function plainParts(source: string): string[] {
  return source
    .split(/^--.*$/m)
    .filter((part) => /content-type: text\//i.test(part))
    .map((part) =>
      Buffer.from(
        part.replaceAll(/=\r?\n/g, '').replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      ).toString('utf8'),
    );
}
