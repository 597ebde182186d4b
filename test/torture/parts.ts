import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startEmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { retry } from '#lib/retry.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { freePort } from '../support/free-port.ts';
import { isAlive } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';

/** The parts of a stack that is to be tormented: each is started again whenever it ends. */

type Running = { readonly pid: number; readonly ended: Promise<unknown>; readonly stop: () => unknown };

export type Kept = { readonly pid: () => number | undefined; readonly stop: () => Promise<void> };

const restartAfterMs = 100;

/** Starts it again whenever it has ended, as a service manager does. */
export function keepRunning(start: () => Promise<Running>): Kept {
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

export type OwnPostgres = { readonly kept: Kept; readonly settings: PostgresSettings; readonly logFile: string };

/**
 * Migrated as the checkout in `root` says: functions of the database are part of what is played. It leaves the flushing of
 * files to the system, which lives on: what a process that is killed has written is there.
 */
export async function openPostgres(dir: string, root: string): Promise<OwnPostgres> {
  const [port, logFile] = [await freePort(), join(dir, 'postgres.log')];
  const login = { port, user: 'atalaya', password: 'torture' };
  // Two that wait for each other are told of at once: after a second, one of them has often been cut off by a fault.
  const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '100', deadlock_timeout: '10ms' };
  const kept = keepRunning(async () => {
    const server = await startEmbeddedPostgres({
      dataDir: join(dir, 'postgres'),
      ...login,
      settings,
      onLog: (log) => log.pipe(createWriteStream(logFile, { flags: 'a' })),
    });
    return { pid: server.process.pid as number, ended: once(server.process, 'exit'), stop: server.stop };
  });
  const postgres = {
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: port,
    POSTGRES_DB: 'postgres',
    POSTGRES_USER: login.user,
    POSTGRES_PASSWORD: login.password,
  };
  const { migrateUp } = (await import(pathToFileURL(join(root, 'api/db/migrate.ts')).href)) as typeof import('#api/db/migrate.ts');
  await retry(() => migrateUp(postgres), { attempts: 100, firstDelayMs: 200, maxDelayMs: 200 });
  return { kept, settings: postgres, logFile };
}

export async function openRedis(): Promise<Kept & { readonly port: number }> {
  const port = await freePort();
  const kept = keepRunning(async () => {
    const { pid, ended, stop } = await startRedis(port);
    return { pid, ended, stop };
  });
  return { ...kept, port };
}

/** @returns whether a small file system stands there now; not every user may mount one */
export function mountLogs(dir: string, logsBytes: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${logsBytes}`, 'tmpfs', dir], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export type Logs = { readonly fill: () => Promise<void>; readonly empty: () => Promise<void> };

export function logsOf(dir: string, logsBytes: number): Logs {
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

export function childrenOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    return pids.filter((child) => child > 0 && isAlive(child));
  } catch {
    return [];
  }
}

export function killAll(processes: readonly { readonly pid: number }[]): void {
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
