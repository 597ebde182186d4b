import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { AppError, messageOf } from '#lib/errors.ts';
import { clientOptions, SQLSTATE, sqlStateOf } from '#lib/postgres.ts';
import { retry } from '#lib/retry.ts';
import { CommandError, runCommand, startCommand } from '#lib/run-command.ts';
import { runAs, serverAccount, type Account } from './server-account.ts';

export class EmbeddedPostgresError extends AppError {
  readonly code = 'EMBEDDED_POSTGRES';
}

type EmbeddedPostgresOptions = {
  /** Folder of the cluster; made and initialised when it does not hold one. */
  readonly dataDir: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Server settings, such as { max_connections: '100' }. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Takes the server's log, from its first line on. */
  readonly onLog?: (log: Readable) => void;
};

export type EmbeddedPostgres = {
  readonly process: ChildProcess;
  /** Fast shutdown: open transactions are rolled back, clients disconnected. Resolves once the server has ended. */
  readonly stop: () => Promise<void>;
};

/**
 * Starts PostgreSQL 15 from the npm package on 127.0.0.1, in a process group of its own so that a Ctrl-C meant for the
 * caller does not reach it, and resolves once it accepts connections. As root it runs as the user `postgres`, made when
 * missing, since PostgreSQL refuses root. On Linux it ends by itself when the caller dies. A server that an earlier
 * caller left in `dataDir` is stopped first.
 * @throws {EmbeddedPostgresError} naming the folder and the last line the server logged.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const binaries = await loadBinaries();
  await mkdir(dataDir, { recursive: true });
  const account = await serverAccount([dirname(binaries.postgres), dirname(dataDir)]);
  if (account) await chown(dataDir, account.uid, account.gid);
  await chmod(dataDir, 0o700);
  if (!(await isInitialised(dataDir))) await initialise(binaries.initdb, dataDir, options, account);
  await stopLeftover(dataDir);
  const child = launch(binaries.postgres, dataDir, options, account);
  await acceptsConnections(child, options, dataDir);
  return { process: child, stop: () => stopServer(child) };
}

async function loadBinaries(): Promise<{ postgres: string; initdb: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as { postgres: string; initdb: string };
  } catch (err) {
    throw new EmbeddedPostgresError(
      `no embedded PostgreSQL for ${process.platform}-${process.arch}; set POSTGRES_HOST to a server of your own`,
      { cause: err },
    );
  }
}

const isInitialised = (dataDir: string): Promise<boolean> =>
  stat(join(dataDir, 'PG_VERSION')).then(
    () => true,
    () => false,
  );

async function initialise(initdb: string, dataDir: string, options: EmbeddedPostgresOptions, account: Account | undefined): Promise<void> {
  const passwordFile = `${dataDir}.password`;
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const args = [
    `--pgdata=${dataDir}`,
    '--auth=scram-sha-256',
    `--username=${options.user}`,
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
  ];
  try {
    await runCommand({ ...runAs(account, { file: initdb, args }), env: serverEnvironment }, { timeoutMs: 60_000 });
  } catch (err) {
    // Half a cluster would be taken for a whole one at the next start.
    await rm(dataDir, { recursive: true, force: true });
    const said = err instanceof CommandError ? err.stderrTail.split('\n').find((line) => /error:|FATAL:|PANIC:/.test(line)) : undefined;
    throw new EmbeddedPostgresError(`no database could be made in ${dataDir}: ${said?.trim() ?? messageOf(err)}`, { cause: err });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function launch(
  postgres: string,
  dataDir: string,
  options: EmbeddedPostgresOptions,
  account: Account | undefined,
): ChildProcessWithoutNullStreams {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(options.port),
    ...options.settings,
  };
  const args = ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  return startCommand({ ...runAs(account, { file: postgres, args }), env: serverEnvironment });
}

/** Log and session times do not depend on the machine's zone. */
const serverEnvironment = { TZ: 'UTC' };

async function acceptsConnections(child: ChildProcessWithoutNullStreams, options: EmbeddedPostgresOptions, dataDir: string): Promise<void> {
  let lastLine = '';
  // An unread pipe would block the server once it is full.
  child.stdout.resume();
  options.onLog?.(child.stderr);
  child.stderr.on('data', (said: Buffer) => {
    lastLine = said.toString('utf8').trim().split('\n').at(-1) ?? lastLine;
  });
  const settings = {
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: options.port,
    POSTGRES_DB: 'postgres',
    POSTGRES_USER: options.user,
    POSTGRES_PASSWORD: options.password,
  };
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  child.once('error', () => ended.abort());
  try {
    await retry(() => connectOnce(settings), {
      attempts: 300,
      firstDelayMs: 30,
      maxDelayMs: 200,
      signal: ended.signal,
      isRetryable: (err) => sqlStateOf(err) !== SQLSTATE.invalidPassword,
    });
  } catch (err) {
    if (child.exitCode === null) await stopServer(child);
    if (sqlStateOf(err) === SQLSTATE.invalidPassword) {
      throw new EmbeddedPostgresError(
        `the database in ${dataDir} was made with another user or password; restore it or remove the folder`,
        {
          cause: err,
        },
      );
    }
    throw new EmbeddedPostgresError(`embedded PostgreSQL in ${dataDir} did not start on port ${options.port}: ${lastLine}`, { cause: err });
  }
}

async function connectOnce(settings: Parameters<typeof clientOptions>[0]): Promise<void> {
  const client = new Client(clientOptions(settings, 'atalaya-start'));
  client.on('error', () => {});
  try {
    await client.connect();
  } finally {
    await client.end().catch(() => {});
  }
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  const killTimer = setTimeout(() => child.kill('SIGQUIT'), 20_000);
  await ended;
  clearTimeout(killTimer);
}

/** Stops a server that still runs on this folder because the process that started it was killed. */
async function stopLeftover(dataDir: string): Promise<void> {
  const pid = Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !(await isPostgres(pid))) return;
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 100) {
    try {
      process.kill(pid, 'SIGINT');
    } catch {
      return;
    }
    await sleep(100);
  }
  throw new EmbeddedPostgresError(`a PostgreSQL server (process ${pid}) still runs on ${dataDir}; stop it first`);
}

/** Guards against a stale pid file whose number now belongs to another program. */
async function isPostgres(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.split('\0')[0]?.endsWith('postgres') ?? false;
}
