import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '#lib/env.ts';
import { AppError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';
import { readLocalStack } from '#lib/local-stack.ts';
import { startCommand } from '#lib/run-command.ts';

export type OwnStack = {
  /** Variables that lead to it, by stack.json. */
  readonly env: Readonly<Record<string, string>>;
  /** The process all others of the stack descend from. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
};

/** The stack did not come up. `exitCode` is 78 when its settings were at fault. */
class LocalStackError extends AppError {
  readonly code = 'LOCAL_STACK';
  override readonly exitCode;
  constructor(message: string, status: number | null) {
    super(message);
    this.exitCode = status === EXIT.config ? EXIT.config : EXIT.failed;
  }
}

/** This project's own source. */
export const ownRoot = resolve(import.meta.dirname, '../..');
/** What `npm start` runs: with the other, the stack has some 25 MB more. Sources of before have no door of that name. */
const startFileOf = (root: string): string =>
  ['deploy/local/start.mjs', 'deploy/local/start.ts'].map((name) => join(root, name)).find(existsSync) ??
  join(root, 'deploy/local/start.mjs');
const startTimeoutMs = 90_000;
const stopTimeoutMs = 60_000;

/** What would lead the stack to somebody's real database, cache, logs or ports. Everything else is handed on to it. */
const notInherited =
  /^(POSTGRES|REDIS|LOCAL|API_(HOST|PORT|URL)|ADMIN|MONITOR|LOG_DIR|BACKUP|SLACK|SMTP|MAIL|OTEL|ALERT|AUTH|BOOTSTRAP|LOADTEST|OPERATOR)/;

/** The caller's settings, such as DB_POOL_SIZE, and none of its places. Pure. */
export const settingsOf = (caller: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(caller).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !notInherited.test(entry[0]) && !entry[0].startsWith('npm_'),
    ),
  );

/** The environment of the throw-away stack. Pure. */
export function ownStackEnvironment(
  caller: Environment,
  dataDir: string,
  ports: readonly [number, number, number],
): Record<string, string> {
  const [api, admin, postgres] = ports.map(String) as [string, string, string];
  return {
    ...settingsOf(caller),
    LOCAL_DATA_DIR: dataDir,
    API_PORT: api,
    ADMIN_PORT: admin,
    LOCAL_POSTGRES_PORT: postgres,
    MONITOR_ENABLED: 'false',
  };
}

/**
 * Starts the local stack of `npm start` in a temporary folder and on free ports, with the demo data and without the
 * monitor, and resolves once it is healthy. On Linux it also stops when this process dies.
 * @param root of the source it is started from
 * @param places of services the caller started for it, such as REDIS_HOST
 * @throws {LocalStackError} with the last line the stack wrote.
 */
export async function startLocalStack(
  caller: Environment,
  signal?: AbortSignal,
  root = ownRoot,
  places: Readonly<Record<string, string>> = {},
): Promise<OwnStack> {
  const dataDir = await mkdtemp(join(tmpdir(), 'atalaya-loadtest-'));
  const env = { ...ownStackEnvironment(caller, dataDir, await freePorts()), ...places };
  const node = [process.execPath, startFileOf(root)] as const;
  const [file, ...args] = process.platform === 'linux' ? ['setpriv', '--pdeathsig=TERM', ...node] : node;
  const child = startCommand({ file, args, env });
  const output = lastLines(child);
  const exited = once(child, 'exit').then(
    ([status]) => status as number | null,
    () => null,
  );
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const isOver = await Promise.race([exited.then(() => true), sleep(stopTimeoutMs, false, { ref: false })]);
    if (!isOver) child.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const stack = await served(dataDir, exited, output, signal);
    return { env: stack, pid: child.pid ?? Number.NaN, stop };
  } catch (err) {
    await stop();
    throw err;
  }
}

async function served(
  dataDir: string,
  exited: Promise<number | null>,
  output: () => string,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, string>>> {
  let status: number | null | undefined;
  void exited.then((code) => (status = code));
  for (const endsMs = performance.now() + startTimeoutMs; performance.now() < endsMs; await sleep(100)) {
    const stack = readLocalStack({ LOCAL_DATA_DIR: dataDir });
    if (stack) return stack.env;
    signal?.throwIfAborted();
    if (status !== undefined) throw new LocalStackError(`the local stack did not start: ${output()}`, status);
  }
  throw new LocalStackError(`the local stack was not healthy within ${startTimeoutMs / 1_000} s: ${output()}`, null);
}

/** The last line on standard error, else on standard output. */
function lastLines(child: ReturnType<typeof startCommand>): () => string {
  const last = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      last[name] = text.trim().split('\n').at(-1) || last[name];
    });
  }
  child.on('error', (err) => (last.stderr = err.message));
  return () => (last.stderr || last.stdout || 'it said nothing').replace(/^error: /, '');
}

/** Ports of 127.0.0.1 that are free now; all are held while they are chosen, so that they differ. */
export async function freePorts(): Promise<[number, number, number]> {
  const servers = await Promise.all([listen(), listen(), listen()]);
  const ports = servers.map((server) => (server.address() as AddressInfo).port) as [number, number, number];
  await Promise.all(servers.map((server) => new Promise((resolve_) => server.close(resolve_))));
  return ports;
}

async function listen(): Promise<ReturnType<typeof createServer>> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
