import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { EXIT } from '#lib/exit-codes.ts';
import { mountTmpfs } from '#test/support/mount-tmpfs.ts';
import { freePort, isListening } from '#test/support/free-port.ts';
import { freePorts, remainsOf, startStack, type Ports } from '#test/support/running-stack.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

type Outcome = { readonly status: number | null; readonly errors: readonly string[] };

describe('npm start that cannot', () => {
  let folder = '';
  let dataDir = '';
  let ports: Ports;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atalaya-bad-start-'));
    dataDir = join(folder, 'data');
    ports = await freePorts();
  });

  afterEach(async () => {
    expect(await remainsOf(dataDir, ports)).toEqual([]);
    await rm(folder, { recursive: true, force: true });
  });

  /** Starts it and waits for its end; every line it wrote must be one of an error. */
  async function start(env: Record<string, string>): Promise<Outcome> {
    const stack = startStack({ dataDir, ports, env });
    const status = await stack.exited;
    expect(stack.stdout()).toBe('');
    return { status, errors: stack.stderr().trimEnd().split('\n') };
  }

  test('says in one line which port is in use and which variable sets it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    expect(await start({ ADMIN_PORT: `${port}` })).toEqual({
      status: EXIT.config,
      errors: [`error: ADMIN_PORT=${port}: port ${port} on 127.0.0.1 is in use; stop what listens there or set ADMIN_PORT to a free port`],
    });
  });

  test('names every variable it cannot use, its value and what is allowed, at once', async () => {
    const { status, errors } = await start({ LOCAL_POSTGRES_PORT: 'x', MONITOR_ENABLED: 'perhaps', ADMIN_TOKEN: 'hunter2' });
    expect(status).toBe(EXIT.config);
    expect(new Set(errors)).toEqual(
      new Set([
        'error: LOCAL_POSTGRES_PORT=x: must be a whole number from 1 to 65535',
        'error: MONITOR_ENABLED=perhaps: must be true or false',
        'error: ADMIN_TOKEN=(hidden): must have at least 16 characters',
      ]),
    );
  });

  test('passes on what the API and the monitor cannot use, both at once, and leaves nothing running', async () => {
    const { status, errors } = await start({ API_WORKERS: 'many', RATE_LIMIT_PERIOD: '0', SMTP_URL: 'mail', SEED_DEMO: 'false' });
    expect(status).toBe(EXIT.config);
    expect(errors).toHaveLength(3);
    for (const text of ['API_WORKERS=many', 'RATE_LIMIT_PERIOD=0', 'SMTP_URL=(hidden)'])
      expect(errors.join('\n')).toContain(`error: ${text}: `);
  });

  test('stops the database it started when the API refuses to run', async () => {
    const { status, errors } = await start({ MAX_CONNECTIONS_RESERVE: '199', SEED_DEMO: 'false', MONITOR_ENABLED: 'false' });
    expect(status).toBe(EXIT.config);
    expect(errors).toEqual([expect.stringMatching(/^error: .*max_connections/)]);
  });

  test('go on because Ctrl-C comes twice while it is starting ends in order, and leaves nothing', async () => {
    const stack = startStack({ dataDir, ports });
    await expect.poll(() => isListening(Number(ports.LOCAL_POSTGRES_PORT)), { timeout: 60_000 }).toBe(true);
    process.kill(-(stack.child.pid ?? 0), 'SIGINT');
    process.kill(-(stack.child.pid ?? 0), 'SIGINT');
    await expect(stack.exited).resolves.toBe(EXIT.done);
    expect(stack.stderr()).toBe('Stopping…\n');
  });

  test('says that the disk is full, though it is initdb that finds out, and which variable chooses another', async ({ skip }) => {
    const small = await temporaryFolder();
    if (!mountTmpfs(small, 'size=8m')) skip('a small file system takes root to mount');
    const { status, errors } = await start({ LOCAL_DATA_DIR: small });
    expect(status).toBe(EXIT.config);
    expect(errors).toEqual([
      expect.stringMatching(
        /^error: LOCAL_DATA_DIR=\S+ cannot be used: .*No space left on device.*; free some space or set LOCAL_DATA_DIR/,
      ),
    ]);
  });

  test('says in one line that its folder cannot be written', async ({ skip }) => {
    const closed = await temporaryFolder();
    if (!mountTmpfs(closed, 'ro')) skip('a file system that cannot be written takes root to mount');
    expect(await start({ LOCAL_DATA_DIR: closed })).toEqual({
      status: EXIT.config,
      errors: [
        expect.stringMatching(/^error: LOCAL_DATA_DIR=\S+ cannot be used: EROFS: .*; set LOCAL_DATA_DIR to a folder that can be written$/),
      ],
    });
  });

  describe('reach the database that POSTGRES_HOST names', () => {
    let server: EmbeddedPostgres;
    let serverFolder = '';
    let port = 0;

    beforeAll(async () => {
      serverFolder = await mkdtemp(join(tmpdir(), 'atalaya-own-database-'));
      port = await freePort();
      server = await startEmbeddedPostgres({ dataDir: join(serverFolder, 'postgres'), port, user: 'ecommerce', password: 'right' });
    });

    afterAll(async () => {
      await server.stop();
      await rm(serverFolder, { recursive: true, force: true });
    });

    test('because the password is wrong: one line, without the password', async () => {
      const env = { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: `${port}`, POSTGRES_DB: 'postgres', POSTGRES_PASSWORD: 'hunter2' };
      const { status, errors } = await start(env);
      expect(status).not.toBe(0);
      expect(errors).toEqual([expect.stringMatching(/^error: .*(password|POSTGRES_PASSWORD)/)]);
      expect(errors.join()).not.toContain('hunter2');
    });

    test('because nothing listens there: one line naming the address', async () => {
      const down = await freePort();
      const { status, errors } = await start({ POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: `${down}`, POSTGRES_PASSWORD: 'right' });
      expect(status).not.toBe(0);
      expect(errors).toEqual([expect.stringContaining(`127.0.0.1:${down}`)]);
    });
  });
});
