import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { startApi } from '../support/api-process.ts';
import { freePort } from '../support/free-port.ts';
import { processesWith } from '../support/processes.ts';
import { hasRedis } from '../support/redis.ts';
import { childrenOf, keepRunning, killAll, logsOf, mountLogs, openPostgres, openRedis, type Logs, type OwnPostgres } from './parts.ts';
import { openWire, type Wire } from './wire.ts';

/** The real stack on one machine, each part of its own process, with everything that the nemesis needs to get at it. */
export type Stack = {
  /** Of the API, through a wire that can be cut. */
  readonly origin: string;
  /** The database, past every wire. */
  readonly postgres: PostgresSettings;
  readonly wires: { readonly clients: Wire; readonly database: Wire };
  /** Process ids of what runs now. */
  readonly pids: {
    readonly primary: () => number | undefined;
    readonly workers: () => readonly number[];
    /** Undefined where the database is not of this stack. */
    readonly postgres: () => number | undefined;
    readonly redis: () => number | undefined;
  };
  /** Lets the clocks of the API be wrong by that much. */
  readonly moveClock: (byMs: number) => Promise<void>;
  /** Undefined where nothing may be mounted. */
  readonly logs: Logs | undefined;
  /** Resolves once a worker serves and the database answers. */
  readonly untilReady: () => Promise<void>;
  /** Deadlocks that PostgreSQL has told of; null where its log is not of this stack. */
  readonly deadlocks: () => Promise<number | null>;
  readonly close: () => Promise<void>;
};

export type StackOptions = {
  /** A folder for all that it writes, which nobody else uses. */
  readonly dir: string;
  /** Folder of the checkout the API runs from. */
  readonly root: string;
  /** A migrated database to use; by default the stack has a PostgreSQL of its own. */
  readonly database?: PostgresSettings | undefined;
  readonly workers?: number;
  /** Files of modules that every process of the API imports first. */
  readonly imports?: readonly string[];
  /** Room for the logs, which a long play without faults must not fill. */
  readonly logsBytes?: number;
  /** Variables of the API beside those of the stack. */
  readonly env?: Readonly<Record<string, string>>;
};

export async function openStack(options: StackOptions): Promise<Stack> {
  const { dir, root, database, workers = 3, imports = [], logsBytes = 64 * 1024 * 1024, env: more = {} } = options;
  const parts: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const part of parts.toReversed()) await part();
  };
  try {
    const [own, redis] = [database ? undefined : await openPostgres(dir, root), hasRedis ? await openRedis() : undefined];
    const postgres = database ?? (own as OwnPostgres).settings;
    for (const part of [redis, own?.kept]) if (part) parts.push(part.stop);
    const files = { clock: join(dir, 'clock'), logs: join(dir, 'logs'), compiled: join(dir, 'compiled') };
    await Promise.all([mkdir(files.logs), writeFile(files.clock, '0')]);
    const isMounted = mountLogs(files.logs, logsBytes);
    if (isMounted) parts.push(async () => execFileSync('umount', ['--lazy', files.logs]));

    const [apiPort, adminPort] = [await freePort(), await freePort()];
    const wires = { clients: await openWire(apiPort), database: await openWire(postgres.POSTGRES_PORT) };
    parts.push(wires.clients.close, wires.database.close);
    const env = {
      ...environment({ workers, redisPort: redis?.port, files, imports }),
      ...more,
      API_PORT: `${apiPort}`,
      ADMIN_PORT: `${adminPort}`,
    };
    const throughWire = { ...postgres, POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: wires.database.port };
    const api = keepRunning(async () => {
      const { child, exited } = await startApi(throughWire, env, root);
      return { pid: child.pid as number, ended: exited, stop: () => child.kill('SIGTERM') };
    });
    // Workers of a primary that was killed while they stood still.
    parts.push(async () => killAll(processesWith(dir).filter(({ commandLine }) => commandLine.includes('api/'))), api.stop);
    const stack: Stack = {
      origin: `http://127.0.0.1:${wires.clients.port}`,
      postgres,
      wires,
      pids: {
        primary: api.pid,
        workers: () => childrenOf(api.pid()),
        postgres: () => own?.kept.pid(),
        redis: () => redis?.pid(),
      },
      moveClock: (byMs) => writeFile(files.clock, `${byMs}`),
      logs: isMounted ? logsOf(files.logs, logsBytes) : undefined,
      untilReady: () => untilReady(`http://127.0.0.1:${apiPort}`),
      deadlocks: async () => (own ? (await readFile(own.logFile, 'utf8')).split('deadlock detected').length - 1 : null),
      close,
    };
    await stack.untilReady();
    return stack;
  } catch (err) {
    await close();
    throw err;
  }
}

type EnvironmentParts = {
  readonly workers: number;
  readonly redisPort: number | undefined;
  readonly files: { readonly clock: string; readonly logs: string; readonly compiled: string };
  readonly imports: readonly string[];
};

const environment = ({ workers, redisPort, files, imports }: EnvironmentParts): Record<string, string> => ({
  API_WORKERS: `${workers}`,
  DB_POOL_SIZE: '8',
  DB_MAX_OVERFLOW: '8',
  LOG_DIR: files.logs,
  LOG_LEVEL: 'warn',
  TORTURE_CLOCK: files.clock,
  // Whoever was killed is back with half the work.
  NODE_COMPILE_CACHE: files.compiled,
  NODE_OPTIONS: [join(import.meta.dirname, 'clock.ts'), ...imports].map((file) => `--import=${pathToFileURL(file).href}`).join(' '),
  // A token outlives a clock that is an hour wrong.
  AUTH_TOKEN_TTL: '86400',
  // The limit is in the way of every request, and too high to be met.
  RATE_LIMIT_CALLS: '1000000',
  RATE_LIMIT_PERIOD: '1',
  RATE_LIMIT_LOADTEST_CALLS: '1000000',
  // Logins are counted by the address, of which a client here has as many as it likes.
  TRUSTED_PROXIES: '127.0.0.0/8',
  ...(redisPort !== undefined && { REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: `${redisPort}` }),
});

const readyWithinMs = 60_000;

/** Several answers in a row: one worker may have been ready while another was not. */
async function untilReady(url: string): Promise<void> {
  let inARow = 0;
  for (const endsAt = Date.now() + readyWithinMs; inARow < 5; await sleep(50)) {
    const isReady = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
    inARow = isReady ? inARow + 1 : 0;
    if (Date.now() > endsAt) throw new Error(`the API at ${url} is not ready after ${readyWithinMs / 1_000} s`);
  }
}

/** Runs statements past every wire. @throws when the database does not take them now */
export async function administer<Row extends object>(postgres: PostgresSettings, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ ...clientOptions(postgres, 'atalaya-torture'), connectionTimeoutMillis: 1_000, query_timeout: 30_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
