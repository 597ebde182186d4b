import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { migrateUp } from '#api/db/migrate.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { startApi, type ApiProcess } from '#test/support/api-process.ts';
import { freePort } from '#test/support/free-port.ts';
import { startRedis, type TestRedis } from '#test/support/redis.ts';

export const metricsToken = 'a-metrics-token-of-the-tests';

/** A stack whose parts can be hurt one by one: PostgreSQL, Redis and an API of one worker with a pool of four. */
export type Stack = {
  readonly settings: PostgresSettings;
  readonly logDir: string;
  readonly redis: () => TestRedis;
  readonly api: () => ApiProcess;
  readonly stopPostgres: () => Promise<void>;
  /** Starts again what does not run. */
  readonly heal: () => Promise<void>;
  /** One more API, beside the other, over a database of that name. */
  readonly release: (database: string) => Promise<ApiProcess>;
  /** A client of the caller's own, by which others may be hurt. */
  readonly connect: (name: string, database?: string) => Promise<Client>;
  readonly stop: () => Promise<void>;
};

export async function startStack(): Promise<Stack> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-test-'));
  const logDir = join(dir, 'logs');
  const server = { dataDir: join(dir, 'postgres'), port: await freePort(), user: 'atalaya', password: 'a-password-of-the-tests' };
  const startPostgres = (): Promise<EmbeddedPostgres> => startEmbeddedPostgres({ ...server, settings: { fsync: 'off' } });
  let postgres: EmbeddedPostgres | undefined = await startPostgres();
  const settings: PostgresSettings = {
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: server.port,
    POSTGRES_DB: 'shop',
    POSTGRES_USER: server.user,
    POSTGRES_PASSWORD: server.password,
  };
  const connect = async (name: string, database = 'shop'): Promise<Client> => {
    const client = new Client(clientOptions({ ...settings, POSTGRES_DB: database }, name));
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const createDatabase = async (database: string): Promise<PostgresSettings> => {
    const client = await connect('atalaya-test', 'postgres');
    await client.query(`CREATE DATABASE ${database}`);
    await client.end();
    await migrateUp({ ...settings, POSTGRES_DB: database });
    return { ...settings, POSTGRES_DB: database };
  };
  let redis = await startRedis();
  const ports = { API_PORT: `${await freePort()}`, ADMIN_PORT: `${await freePort()}` };
  const env = {
    API_WORKERS: '1',
    DB_POOL_SIZE: '2',
    DB_MAX_OVERFLOW: '2',
    REDIS_ENABLED: 'true',
    REDIS_PORT: `${redis.port}`,
    METRICS_TOKEN: metricsToken,
    RATE_LIMIT_CALLS: '1000000',
    RATE_LIMIT_LOADTEST_CALLS: '1000000',
    // A sign of life of a process that is stopped cannot come: nobody replaces it meanwhile.
    DRAIN_TIMEOUT: '1',
  };
  const start = async (database: PostgresSettings, given: Readonly<Record<string, string>>): Promise<ApiProcess> => {
    const api = await startApi(database, { ...env, ...given });
    await api.ready();
    return api;
  };
  let api = await start(await createDatabase('shop'), { ...ports, LOG_DIR: logDir });
  const stopPostgres = async (): Promise<void> => {
    await postgres?.stop();
    postgres = undefined;
  };
  const killApi = async (): Promise<void> => {
    api.child.kill('SIGCONT');
    api.child.kill('SIGKILL');
    await api.exited;
  };
  return {
    settings,
    logDir,
    redis: () => redis,
    api: () => api,
    stopPostgres,
    heal: async () => {
      postgres ??= await startPostgres();
      redis.thaw();
      const isRedisOver = await Promise.race([redis.ended.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);
      if (isRedisOver) redis = await startRedis(redis.port);
      if (api.child.exitCode === null && api.child.signalCode === null) return;
      await api.exited;
      api = await start(settings, { ...ports, LOG_DIR: logDir });
    },
    release: async (database) => start(await createDatabase(database), {}),
    connect,
    stop: async () => {
      await killApi();
      await redis.stop();
      await stopPostgres();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
