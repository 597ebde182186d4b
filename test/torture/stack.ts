import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { migrateUp } from '#api/db/migrate.ts';
import { startEmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { clientOptions } from '#lib/postgres.ts';
import { retry } from '#lib/retry.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { startApi } from '../support/api-process.ts';
import { freePort } from '../support/free-port.ts';
import { isAlive, processesWith } from '../support/processes.ts';
import { hasRedis, startRedis } from '../support/redis.ts';
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
  readonly logs: { readonly fill: () => Promise<void>; readonly empty: () => Promise<void> } | undefined;
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
};

export async function openStack({ dir, root, database, workers = 3 }: StackOptions): Promise<Stack> {
  const parts: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const part of parts.toReversed()) await part();
  };
  try {
    const [own, redis] = [database ? undefined : await openPostgres(dir), hasRedis ? await openRedis() : undefined];
    const postgres = database ?? (own as OwnPostgres).settings;
    for (const part of [redis, own?.kept]) if (part) parts.push(part.stop);
    const files = { clock: join(dir, 'clock'), logs: join(dir, 'logs') };
    await Promise.all([mkdir(files.logs), writeFile(files.clock, '0')]);
    const isMounted = mountLogs(files.logs);
    if (isMounted) parts.push(async () => execFileSync('umount', ['--lazy', files.logs]));

    const [apiPort, adminPort] = [await freePort(), await freePort()];
    const wires = { clients: await openWire(apiPort), database: await openWire(postgres.POSTGRES_PORT) };
    parts.push(wires.clients.close, wires.database.close);
    const env = {
      ...environment({ workers, redisPort: redis?.port, files }),
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
      logs: isMounted ? logsOf(files.logs) : undefined,
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
  readonly files: { readonly clock: string; readonly logs: string };
};

const environment = ({ workers, redisPort, files }: EnvironmentParts): Record<string, string> => ({
  API_WORKERS: `${workers}`,
  DB_POOL_SIZE: '8',
  DB_MAX_OVERFLOW: '8',
  LOG_DIR: files.logs,
  LOG_LEVEL: 'warn',
  TORTURE_CLOCK: files.clock,
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'clock.ts')).href}`,
  // The limit is in the way of every request, and too high to be met.
  RATE_LIMIT_CALLS: '1000000',
  RATE_LIMIT_PERIOD: '1',
  RATE_LIMIT_LOADTEST_CALLS: '1000000',
  // Logins are counted by the address, of which a client here has as many as it likes.
  TRUSTED_PROXIES: '127.0.0.0/8',
  ...(redisPort !== undefined && { REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: `${redisPort}` }),
});

type Running = { readonly pid: number; readonly ended: Promise<unknown>; readonly stop: () => unknown };

type Kept = { readonly pid: () => number | undefined; readonly stop: () => Promise<void> };

const restartAfterMs = 100;

/** Starts it again whenever it has ended, as a service manager does. */
function keepRunning(start: () => Promise<Running>): Kept {
  const stopping = new AbortController();
  let running: Running | undefined;
  const life = (async () => {
    while (!stopping.signal.aborted) {
      running = await start().catch(() => undefined);
      if (stopping.signal.aborted) await running?.stop();
      await running?.ended;
      running = undefined;
      await sleep(restartAfterMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    pid: () => running?.pid,
    stop: async () => {
      stopping.abort();
      await running?.stop();
      await life;
    },
  };
}

type OwnPostgres = { readonly kept: Kept; readonly settings: PostgresSettings; readonly logFile: string };

/** It leaves the flushing of files to the system, which lives on: what a process that is killed has written is there. */
async function openPostgres(dir: string): Promise<OwnPostgres> {
  const [port, logFile] = [await freePort(), join(dir, 'postgres.log')];
  const login = { port, user: 'atalaya', password: 'torture' };
  const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '100' };
  const kept = keepRunning(async () => {
    const server = await startEmbeddedPostgres({ dataDir: join(dir, 'postgres'), ...login, settings, logFile });
    return { pid: server.process.pid as number, ended: once(server.process, 'exit'), stop: server.stop };
  });
  const postgres = {
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: port,
    POSTGRES_DB: 'postgres',
    POSTGRES_USER: login.user,
    POSTGRES_PASSWORD: login.password,
  };
  await retry(() => migrateUp(postgres), { attempts: 100, firstDelayMs: 200, maxDelayMs: 200 });
  return { kept, settings: postgres, logFile };
}

async function openRedis(): Promise<Kept & { readonly port: number }> {
  const port = await freePort();
  const kept = keepRunning(async () => {
    const { pid, ended, stop } = await startRedis(port);
    return { pid, ended, stop };
  });
  return { ...kept, port };
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

const logsBytes = 64 * 1024 * 1024;

function mountLogs(dir: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${logsBytes}`, 'tmpfs', dir], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function logsOf(dir: string): Stack['logs'] {
  const filler = join(dir, 'filler');
  return {
    // Ends with ENOSPC, which is what it is for.
    fill: () => writeFile(filler, Buffer.alloc(logsBytes)).catch(() => {}),
    empty: async () => {
      await rm(filler, { force: true });
      await truncate(join(dir, 'access.log')).catch(() => {});
    },
  };
}

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

function childrenOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    return pids.filter((child) => child > 0 && isAlive(child));
  } catch {
    return [];
  }
}

function killAll(processes: readonly { readonly pid: number }[]): void {
  for (const { pid } of processes) signalTo(pid, 'SIGKILL');
}

/** @returns whether there was such a process */
export function signalTo(pid: number | undefined, signal: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
