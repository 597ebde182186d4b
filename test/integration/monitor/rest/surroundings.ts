import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { PostgresSettings } from '#lib/settings.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { freePort } from '#test/support/free-port.ts';
import { startRedis } from '#test/support/redis.ts';
import { openNameServer } from '../probes/name-server.ts';

/** What stands around the monitor in production, on this machine. */
export type Surroundings = {
  /** The monitor's environment: that of docker-compose.production.yaml, with addresses of this machine. */
  readonly env: Readonly<Record<string, string>>;
  readonly monitorPort: number;
  readonly stop: () => Promise<void>;
};

const healthy = JSON.stringify({ status: 'healthy', checks: { database: { health: 'healthy' }, redis: { health: 'healthy' } } });

const api: RequestListener = (_request, response) => response.setHeader('content-type', 'application/json').end(healthy);

/**
 * Everything deploy/docker/monitor.yaml watches: PostgreSQL as given, a Redis, and stand-ins for two instances of the API and
 * for nginx with its certificate. Needs redis-server and openssl.
 * @param dir gets configuration, certificate, store and backups
 */
export async function startSurroundings(dir: string, postgres: PostgresSettings): Promise<Surroundings> {
  const redis = await startRedis();
  const servers = [
    createServer(api),
    createServer(api),
    createServer((_request, response) => response.writeHead(308, { location: 'https://localhost/' }).end()),
    createTlsServer(selfSigned(dir), api),
  ];
  const [apiA, apiB, http, https] = (await Promise.all(
    servers.map(async (server) => {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
  )) as [string, string, string, string];
  const names = await openNameServer(() => ['192.0.2.1']);
  const places = {
    'api-a:8000': apiA,
    'api-b:8000': apiB,
    'api-a:9000': apiA,
    'api-b:9000': apiB,
    'nginx:8080': http,
    'nginx:8443': https,
    '/var/lib/atalaya/backups': dir,
    '/var/log/atalaya': join(dir, 'logs'),
    'host: monitor': `host: monitor\n    server: ${names.address}`,
  };
  const production = readFileSync(resolve('deploy/docker/monitor.yaml'), 'utf8');
  const config = Object.entries(places).reduce((text, [there, here]) => text.replaceAll(there, here), production);
  writeFileSync(join(dir, 'monitor.yaml'), config);
  const monitorPort = await freePort();
  return {
    env: {
      // Without this machine's own authorities, which would be loaded too.
      ...Object.fromEntries(Object.entries(cleanEnvironment()).filter(([name]) => !name.includes('CERT'))),
      NODE_ENV: 'production',
      NODE_OPTIONS: '--max-old-space-size=160',
      ...Object.fromEntries(Object.entries(postgres).map(([name, value]) => [name, String(value)])),
      REDIS_ENABLED: 'true',
      REDIS_PORT: String(redis.port),
      API_URL: `http://${apiA}`,
      MONITOR_PORT: String(monitorPort),
      MONITOR_CONFIG: join(dir, 'monitor.yaml'),
      MONITOR_DATA_DIR: join(dir, 'data'),
      BACKUP_DIR: join(dir, 'backups'),
    },
    monitorPort,
    stop: async () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      names.close();
      await redis.stop();
    },
  };
}

function selfSigned(dir: string): { readonly key: Buffer; readonly cert: Buffer } {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'certificate.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '90'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const made = spawnSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`openssl makes no certificate: ${made.stderr}`);
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
