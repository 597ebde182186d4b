// One production stack takes minutes to start, and every test of it stands here; so it is long.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '#lib/exit-codes.ts';
import { retry } from '#lib/retry.ts';
import { CommandError } from '#lib/run-command.ts';
import { createComposeProject, type ComposeProject } from './compose/compose-project.ts';
import { docker, whyNoDocker } from './compose/docker.ts';
import { httpsClient, type HttpsClient, type Reply } from './compose/https-client.ts';

const reason = await whyNoDocker();
const unique = (): string => randomBytes(6).toString('hex');

/** The guide's own .env.production. Its pools ask for 1,200 connections and it lacks six secrets; nothing but the password is changed. */
const guideSettings = async (): Promise<string> =>
  (await readFile('test/system/compose/guide.env', 'utf8')).replace('TU_PASSWORD_SEGURO_AQUI_123!', randomBytes(16).toString('hex'));

describe('the production stack, from the .env.production of the guide with only the secrets filled in', { timeout: 120_000 }, () => {
  let project: ComposeProject;
  let call: HttpsClient;

  beforeAll(async () => {
    if (reason !== undefined) return;
    project = await createComposeProject(await guideSettings());
    await project.up();
    call = httpsClient(project.httpsPort, await project.exec('certbot', 'openssl', 'x509', '-in', '/tls/site.pem'));
  }, 900_000);

  afterAll(async () => {
    if (reason === undefined) await project.down();
  }, 180_000);

  beforeEach(({ skip }) => {
    if (reason !== undefined) skip(reason);
  });

  test('takes an order through nginx to PostgreSQL 17 and back', async () => {
    const operator = { 'x-api-key': project.operatorKey };
    const category = created(await call('/api/v1/categories', { method: 'POST', headers: operator, body: { name: 'Faros' } }));
    const product = created(
      await call('/api/v1/products', {
        method: 'POST',
        headers: operator,
        body: { name: 'Linterna', price: 19.99, stock: 5, category_id: category.id_key },
      }),
    );
    const email = `ana.${randomBytes(4).toString('hex')}@example.com`;
    const password = randomBytes(12).toString('hex');
    const client = created(await call('/api/v1/clients', { method: 'POST', body: { name: 'Ana', lastname: 'Vega', email, password } }));
    const login = await call('/api/v1/clients/login', { method: 'POST', body: { email, password } });
    expect(login).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    const customer = { authorization: `Bearer ${(login.body as { access_token: string }).access_token}` };

    const lines = [{ product_id: product.id_key, quantity: 2 }];
    const body = { client_id: client.id_key, delivery_method: 1, lines };
    const placed = await call('/api/v1/orders', { method: 'POST', headers: { ...customer, 'idempotency-key': 'first-order' }, body });
    const order = created(placed);
    const again = await call('/api/v1/orders', { method: 'POST', headers: { ...customer, 'idempotency-key': 'first-order' }, body });

    expect(order).toMatchObject({
      total: 39.98,
      client_id: client.id_key,
      lines: [{ product_name: 'Linterna', quantity: 2, price: 19.99 }],
    });
    expect(again).toMatchObject({ status: 201, body: { id_key: order.id_key } });
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await call('/api/v1/orders', { headers: customer })).toMatchObject({ status: 200, body: [{ id_key: order.id_key }] });
    expect(await call(`/api/v1/products/${product.id_key}`)).toMatchObject({ status: 200, body: { stock: 3 } });
    const rows = await query(
      `SELECT current_setting('server_version_num')::int / 10000, o.total_cents, d.quantity, p.stock
       FROM orders o JOIN order_details d ON d.order_id = o.id_key JOIN products p ON p.id_key = d.product_id WHERE o.id_key = ${order.id_key}`,
    );
    expect(rows).toBe('17|3998|2|3');
  });

  test('is refused without the secrets’ files by one line that names all of them and the command that makes them', async () => {
    const compose = ['compose', '--env-file', 'test/system/compose/guide.env', '--file', 'docker-compose.production.yaml'];
    const err = (await docker([...compose, 'config', '--quiet'], { timeoutMs: 30_000 }).catch((thrown: unknown) => thrown)) as Error;
    expect(err.message).toContain('sh deploy/docker/secrets.sh');
    for (const name of ['POSTGRES_OWNER_PASSWORD', 'REDIS_PASSWORD', 'AUTH_TOKEN_SECRET', 'ADMIN_TOKEN', 'MONITOR_PASSWORD'])
      expect(err.message).toContain(name);
  });

  test('fits the guide’s pools into what PostgreSQL gives, and says so', async () => {
    const settings = `fetch('http://127.0.0.1:9000/config', { headers: { authorization: 'Bearer ' + require('node:fs').readFileSync('/run/secrets/admin_token', 'utf8') } })`;
    const { workers, pool } = JSON.parse(
      await project.exec('api-a', 'node', '--eval', `${settings}.then((r) => r.text()).then(console.log)`),
    ) as { workers: number; pool: { per_worker_max: number } };
    const max = Number(await query('SHOW max_connections'));
    expect(workers).toBe(4);
    expect(pool.per_worker_max).toBeLessThan(150);
    expect(2 * workers * pool.per_worker_max + 20).toBeLessThanOrEqual(max);
    await expect(project.compose(['logs', '--no-color', 'api-a'], 30_000)).resolves.toMatch(/DB_POOL_SIZE.*max_connections/);
  });

  test('sends HTTP to HTTPS without turning a POST into a GET', async () => {
    const response = await fetch(`http://localhost:${project.httpPort}/api/v1/orders?x=1`, {
      method: 'POST',
      body: '{}',
      redirect: 'manual',
    });
    expect(response.status).toBe(308);
    expect(response.headers.get('location')).toBe(`https://localhost:${project.httpsPort}/api/v1/orders?x=1`);
  });

  test('answers with a problem document and keeps the request id', async () => {
    const reply = await call('/api/v1/products/999999999', { headers: { 'x-request-id': 'seen-by-nginx.1' } });
    expect(reply).toMatchObject({ status: 404, body: { code: 'not_found', request_id: 'seen-by-nginx.1' } });
    expect(reply.headers['content-type']).toContain('application/problem+json');
    const large = await call('/api/v1/orders', { method: 'POST', body: { text: 'x'.repeat(1_100_000) } });
    expect(large).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
  });

  test('shows neither the admin listener nor the monitor to the internet', async () => {
    for (const path of ['/metrics', '/config', '/operator']) expect(await call(path)).toMatchObject({ status: 404 });
    const published = await project.compose(['ps', '--format', '{{range .Publishers}}{{.URL}}:{{.PublishedPort}} {{end}}'], 30_000);
    const ports = published.split(/\s+/).filter((address) => /:[1-9]\d*$/.test(address) && !address.startsWith('127.0.0.1:'));
    expect(new Set(ports.map((address) => Number(address.split(':').at(-1))))).toEqual(new Set([project.httpPort, project.httpsPort]));
  });

  test('refuses IPv6, where all clients would share one quota', async () => {
    const ports = [project.httpPort, project.httpsPort];
    await expect(Promise.all(ports.map((port) => connects('127.0.0.1', port)))).resolves.toEqual([true, true]);
    await expect(Promise.all(ports.map((port) => connects('::1', port)))).resolves.toEqual([false, false]);
  });

  test('shows no secret to docker inspect', async () => {
    const ids = (await project.compose(['ps', '--all', '--quiet'], 30_000)).trim().split('\n');
    const described = await docker(['inspect', ...ids], { timeoutMs: 30_000 });
    expect(ids.length).toBeGreaterThan(7);
    expect(project.secrets.filter((secret) => secret !== '' && described.includes(secret))).toEqual([]);
  });

  test('sends each security header once', async () => {
    const { rawHeaders } = await call('/api/v1/products/999999999');
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    const security = ['x-content-type-options', 'x-frame-options', 'referrer-policy'];
    expect(names.filter((name) => security.includes(name)).toSorted()).toEqual(security.toSorted());
  });

  test('keeps the schema out of the hands of the role the API connects as', async () => {
    const url =
      'const { env } = process; const { Client } = await import("pg"); const client = new Client({ host: env.POSTGRES_HOST, user: env.POSTGRES_USER, password: (await import("node:fs")).readFileSync(env.POSTGRES_PASSWORD_FILE, "utf8"), database: env.POSTGRES_DB });';
    const attempt = `${url} await client.connect(); const { rows } = await client.query("SELECT count(*)::int AS n FROM orders"); console.log("reads " + rows[0].n); await client.query("DROP TABLE orders").catch((err) => console.log(err.code)); await client.query("CREATE TABLE t (n int)").catch((err) => console.log(err.code)); await client.end();`;
    const output = await project.exec('api-a', 'node', '--input-type=module', '--eval', attempt);
    expect(output.trim().split('\n')).toEqual([expect.stringMatching(/^reads [1-9]/), '42501', '42501']);
  });

  test('is watched by the monitor, each service and each API instance by itself', async () => {
    await expect
      .poll(
        async () => {
          const { targets } = await project.monitorView();
          return targets.filter(({ name }) => name !== 'backups').map(({ name, status: state }) => `${name} ${state}`);
        },
        { timeout: 60_000, interval: 500 },
      )
      .toEqual(
        [
          'disk',
          'postgresql',
          'redis',
          'api-a',
          'api-b',
          'nginx',
          'site',
          'certificate',
          'names',
          'errors-a',
          'errors-b',
          'availability',
          'logs-a',
          'logs-b',
        ].map((name) => `${name} up`),
      );
  });

  describe('a backup that the monitor took and proved', () => {
    let id: string;

    beforeAll(async () => {
      if (reason !== undefined) return;
      await orderOf(1);
      id = ((await backup(project, 'take')) as { id: string }).id;
      await expect(backup(project, 'verify', id)).resolves.toMatchObject({ ok: true, reasons: [] });
      expect(await query(`SELECT count(*) FROM pg_database WHERE datname LIKE 'atalaya_scratch%'`)).toBe('0');
    }, 240_000);

    test('is restored beside the live database, with owners and grants, by the command of docs/backups.md', async () => {
      const restored = await restore(project, id, '--target', 'ecommerce_drill');
      expect(restored).toMatchObject({ id, target: 'ecommerce_drill', notices: [] });
      const state = `SELECT concat_ws(' ', (SELECT count(*) > 0 FROM orders), (SELECT tableowner FROM pg_tables WHERE tablename = 'orders'),
        (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()), has_database_privilege('pg_monitor', current_database(), 'CONNECT'))`;
      expect(await query(state, 'ecommerce_drill')).toBe('t atalaya_owner atalaya_owner f');
      const rows = 'BEGIN; SELECT count(*) > 0 FROM orders; UPDATE products SET stock = stock + 1; ROLLBACK';
      expect(await asApp(rows, 'ecommerce_drill')).toBe('t');
      await query('DROP DATABASE ecommerce_drill', 'postgres');
    });

    test('of a database with another locale provider than the server’s own is verified too', async () => {
      await query(`CREATE DATABASE libc_shop TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'`);
      const inThere = ['monitor', 'env', 'POSTGRES_DB=libc_shop', 'node', 'backups/cli.ts'] as const;
      await afterOthers(() => project.exec(...inThere, 'take'));
      expect(JSON.parse(await afterOthers(() => project.exec(...inThere, 'verify', 'latest', '--json')))).toMatchObject({ ok: true });
      await query('DROP DATABASE libc_shop');
    });

    test('is restored over the live database, which the API then reads and writes; what was there is kept', async () => {
      const later = await orderOf(1);
      await expect(restore(project, id, '--target', 'ecommerce_prod')).rejects.toThrow(/is not empty .*--swap, or --force/);
      const restored = await restore(project, id, '--target', 'ecommerce_prod', '--force');
      expect(restored).toMatchObject({ id, keptAs: expect.stringMatching(/^ecommerce_prod_old_\d{8}t\d{6}z$/), notices: [] });
      await expect.poll(async () => (await call('/readyz')).status, { timeout: 60_000, interval: 500 }).toBe(200);
      expect(await query(`SELECT count(*) FROM orders WHERE id_key = ${later.id_key}`)).toBe('0');
      expect(await query(`SELECT count(*) FROM orders WHERE id_key = ${later.id_key}`, restored.keptAs)).toBe('1');
      expect(await orderOf(1)).toMatchObject({ id_key: expect.any(Number) });
      await expect(backup(project, 'verify', restored.safetyBackupId)).resolves.toMatchObject({ ok: true });
      // What the monitor takes of the restored database is as good as before.
      await backup(project, 'take');
      await expect(backup(project, 'verify', 'latest')).resolves.toMatchObject({ ok: true });
      await query(`DROP DATABASE ${restored.keptAs}`, 'postgres');
    });
  });

  test('tells that nginx is stopped within the bound it states, and that alone, whatever stands on it', async () => {
    const view = project.monitorView;
    await expect.poll(async () => (await view()).targets.map(({ status }) => status), { timeout: 90_000 }).not.toContain('down');
    const before = new Date().toISOString();
    await project.compose(['stop', '--timeout', '1', 'nginx'], 60_000);
    const stoppedMs = Date.now();
    const begunSince = async () => (await view()).incidents?.filter(({ kind, started_at: at }) => kind === 'down' && at >= before) ?? [];
    const told = async () => (await begunSince()).filter(({ alerted_at: at }) => at !== null);
    await expect.poll(async () => (await told()).map(({ target }) => target), { timeout: 60_000 }).toEqual(['nginx']);
    const boundMs = (await view()).targets.find(({ name }) => name === 'nginx')?.detection_bound_ms ?? 0;
    const [incident] = await told();
    expect(Date.parse(incident?.alerted_at ?? '') - stoppedMs).toBeLessThanOrEqual(boundMs);
    await expect.poll(async () => (await begunSince()).map(({ target }) => target), { timeout: 60_000 }).toContain('site');
    expect((await begunSince()).find(({ target }) => target === 'site')).toMatchObject({ explained_by: 'nginx', alerted_at: null });
    await project.compose(['up', '--detach', '--wait', 'nginx'], 120_000);
    await expect.poll(async () => (await begunSince()).every(({ ended_at: at }) => at !== null), { timeout: 60_000 }).toBe(true);
    expect((await told()).map(({ target }) => target)).toEqual(['nginx']);
  });

  /** Through nginx, as a new client, of a new product. */
  async function orderOf(quantity: number): Promise<{ readonly id_key: number }> {
    const operator = { 'x-api-key': project.operatorKey };
    const category = created(await call('/api/v1/categories', { method: 'POST', headers: operator, body: { name: `Faros ${unique()}` } }));
    const product = { name: `Linterna ${unique()}`, price: 19.99, stock: 5, category_id: category.id_key };
    const { id_key } = created(await call('/api/v1/products', { method: 'POST', headers: operator, body: product }));
    const [email, password] = [`ana.${unique()}@example.com`, unique() + unique()];
    const client = created(await call('/api/v1/clients', { method: 'POST', body: { name: 'Ana', lastname: 'Vega', email, password } }));
    const { body: login } = await call('/api/v1/clients/login', { method: 'POST', body: { email, password } });
    const headers = { authorization: `Bearer ${(login as { access_token: string }).access_token}`, 'idempotency-key': unique() };
    const body = { client_id: client.id_key, delivery_method: 1, lines: [{ product_id: id_key, quantity }] };
    return created(await call('/api/v1/orders', { method: 'POST', headers, body }));
  }

  const psql = async (user: string, database: string, sql: string): Promise<string> => {
    const options = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', `--username=${user}`, `--dbname=${database}`];
    return (await project.exec('postgres', 'psql', ...options, '--command', sql)).trim();
  };
  const query = (sql: string, database = 'ecommerce_prod'): Promise<string> => psql('atalaya_admin', database, sql);
  // The guide's POSTGRES_USER: by name alone the superuser, here a role that only reads and writes.
  const asApp = (sql: string, database: string): Promise<string> => psql('postgres', database, sql);
});

function created({ status, body }: Reply): { readonly id_key: number } {
  expect({ status, body }).toMatchObject({ status: 201, body: { id_key: expect.any(Number) } });
  return body as { id_key: number };
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Runs a backup command in the monitor's container, and waits when the monitor is taking its own just then. */
async function backup(project: ComposeProject, ...args: string[]): Promise<unknown> {
  return JSON.parse(await afterOthers(() => project.exec('monitor', 'node', 'backups/cli.ts', ...args, '--json')));
}

type Restored = { readonly id: string; readonly keptAs: string; readonly safetyBackupId: string };

async function restore(project: ComposeProject, ...args: string[]): Promise<Restored> {
  const command = ['run', '--rm', '--no-TTY', 'restore', ...args, '--json'];
  return JSON.parse(await afterOthers(() => project.compose(command, 120_000))) as Restored;
}

const afterOthers = (work: () => Promise<string>): Promise<string> =>
  retry(work, {
    attempts: 120,
    firstDelayMs: 500,
    maxDelayMs: 500,
    isRetryable: (err) => err instanceof CommandError && err.status === EXIT.busy,
  });
