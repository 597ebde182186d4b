import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCommand } from '#lib/run-command.ts';
import { docker } from '#test/system/compose/docker.ts';
import { changedId, eventsOf } from './events.ts';
import { startSeeded, type SeededPage } from './start-seeded.ts';

const image = 'nginx:1.28';
const host = 'status.test';
const name = `atalaya-nginx-${process.pid}`;
const root = resolve(import.meta.dirname, '../../../..');
const timeoutMs = 60_000;
const isHere = await docker(['image', 'inspect', image], { timeoutMs: 15_000 }).then(
  () => true,
  () => false,
);

type Edge = { readonly address: string; readonly certificate: string };
let seeded: SeededPage | undefined;
let edge: Edge;
let dir: string;
const asked = new Set<ClientRequest>();

/** The nginx of production, with its own configuration, before the status page where the APIs are otherwise. */
async function startEdge(gateway: string): Promise<Edge> {
  dir = await mkdtemp(join(tmpdir(), 'atalaya-nginx-'));
  const [key, certificate] = [join(dir, 'key.pem'), join(dir, 'certificate.pem')];
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', ...subject];
  await runCommand({ file: 'openssl', args: [...made, '-keyout', key, '-out', certificate], env: {} }, { timeoutMs });
  const texts = await Promise.all([certificate, key].map((file) => readFile(file, 'utf8')));
  await writeFile(join(dir, 'site.pem'), texts.join(''));
  await chmod(dir, 0o755);
  const env = {
    SERVER_NAME: host,
    HTTPS_PORT: '443',
    HSTS_MAX_AGE: '0',
    API_A_ADDRESS: gateway,
    API_B_ADDRESS: gateway,
    EDGE_RATE: '300',
    EDGE_BURST: '1500',
    EDGE_CONNECTIONS: '500',
    EDGE_UNLIMITED_FROM: '127.0.0.1/32',
    TLS_RELOAD_SECONDS: '60',
  };
  const variables = Object.entries(env).flatMap(([variable, value]) => ['--env', `${variable}=${value}`]);
  const folders = [
    '--volume',
    `${join(root, 'deploy/nginx')}:/etc/atalaya/nginx:ro`,
    '--volume',
    `${dir}:/tls:ro`,
    '--tmpfs',
    '/tmp:uid=101,gid=101',
  ];
  const started = ['run', '--detach', '--rm', '--name', name, '--network', name, '--user', '101:101', '--entrypoint', '/bin/sh'];
  await docker([...started, ...variables, ...folders, image, '/etc/atalaya/nginx/start.sh'], { timeoutMs });
  const template = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  return { address: (await docker(['inspect', '--format', template, name], { timeoutMs })).trim(), certificate: texts[0] ?? '' };
}

beforeAll(async () => {
  if (!isHere) return;
  await docker(['network', 'create', name], { timeoutMs });
  const gateway = (await docker(['network', 'inspect', '--format', '{{(index .IPAM.Config 0).Gateway}}', name], { timeoutMs })).trim();
  seeded = await startSeeded({ host: gateway, port: 8_000 });
  edge = await startEdge(gateway);
  await vi.waitFor(
    async () => {
      const { statusCode } = await ask('/api/status');
      if (statusCode !== 200) throw new Error(`nginx answers ${statusCode}`);
    },
    { timeout: 30_000, interval: 250 },
  );
}, 120_000);
afterAll(async () => {
  if (!isHere) return;
  await docker(['rm', '--force', name], { timeoutMs }).catch(() => {});
  await docker(['network', 'rm', name], { timeoutMs }).catch(() => {});
  await seeded?.close();
  await rm(dir, { recursive: true, force: true });
}, 120_000);

afterEach(() => {
  for (const each of asked) each.destroy();
  asked.clear();
});

async function ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
  const sent = request({
    host: edge.address,
    port: 8_443,
    servername: host,
    ca: edge.certificate,
    path,
    headers: { host, ...headers },
    agent: false,
  });
  asked.add(sent.on('error', () => {}));
  const [response] = (await once(sent.end(), 'response')) as [IncomingMessage];
  return response.on('error', () => {});
}

async function listen(lastEventId?: string): Promise<{ readonly response: IncomingMessage; readonly next: () => Promise<string> }> {
  const response = await ask('/events', lastEventId === undefined ? {} : { 'last-event-id': lastEventId });
  const events = eventsOf(response.setEncoding('utf8') as AsyncIterable<string>);
  return { response, next: async () => String((await events.next()).value) };
}

describe.runIf(isHere)('a page that is open behind the nginx of production', { timeout: 60_000 }, () => {
  test('hears of each change as it comes, and after a break only of what it missed', async () => {
    const first = await listen();
    expect(first.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(await first.next()).toBe('retry: 3000');
    const before = changedId(await first.next());
    seeded?.show(['down']);
    const startedMs = performance.now();
    const after = changedId(await first.next());
    // A state is looked for each second, and taken anew after one.
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(after).not.toBe(before);
    first.response.destroy();

    const missed = await listen(before);
    expect(await missed.next()).toBe('retry: 3000');
    const seen = changedId(await missed.next());
    expect(seen).not.toBe(before);
    const informed = await listen(seen);
    expect(await informed.next()).toBe('retry: 3000');
    seeded?.show(['up']);
    expect(changedId(await informed.next())).not.toBe(seen);
  });

  test('is one of at most 64, and whoever leaves makes room', async () => {
    const open = await Promise.all(Array.from({ length: 64 }, () => listen()));
    const refused = await ask('/events');
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '60']);
    open[0]?.response.destroy();
    await expect.poll(async () => (await ask('/events')).statusCode, { timeout: 15_000, interval: 500 }).toBe(200);
  });
});
