import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { claimKey, storeAnswer } from '#api/http/idempotency.ts';
import type { Environment } from '#lib/env.ts';
import { messageOf } from '#lib/errors.ts';
import { runCommand, startCommand, type Command } from '#lib/run-command.ts';
import { filterPage, lockProducts, oneProduct, productPage, recordOrder, takeStock } from '../floor-statements.ts';
import type { FloorJob } from '../floor-server.ts';
import type { Peer } from '../rounds.ts';
import { FloorError, startFloor, type Floor } from '../start-floor.ts';

export type StartedPeers = {
  readonly servers: Readonly<Partial<Record<Peer, Floor>>>;
  /** Why the others are not among them. */
  readonly absent: readonly string[];
  readonly stop: () => Promise<void>;
};

type Context = { readonly env: Environment; readonly signal: AbortSignal; readonly onProgress: (text: string) => void };
type Sizes = Omit<FloorJob, 'framework'>;

/** Where what is built stays, so that it is built once. */
const builtDir = join(tmpdir(), 'atalaya-bench-peers');
const sourceOf = (name: string): string => join(import.meta.dirname, name);

/** How each is built, and what then runs. */
const builds: Readonly<Record<'go' | 'axum', { readonly build: Command; readonly file: string }>> = {
  go: {
    build: { file: 'go', args: ['build', '-C', sourceOf('go'), '-o', join(builtDir, 'peer-go'), '.'] },
    file: join(builtDir, 'peer-go'),
  },
  axum: {
    build: {
      file: 'cargo',
      args: ['build', '--release', '--locked', '--manifest-path', sourceOf('axum/Cargo.toml'), '--target-dir', join(builtDir, 'axum')],
    },
    file: join(builtDir, 'axum/release/peer-axum'),
  },
};

const buildTimeoutMs = 15 * 60_000;
const startTimeoutMs = 20_000;

/** Builds and starts the peers named. One whose toolchain is not here, or that does not start, is told of and left out. */
export async function startPeers(names: readonly Peer[], sizes: Sizes, context: Context): Promise<StartedPeers> {
  const servers: Partial<Record<Peer, Floor>> = {};
  const absent: string[] = [];
  await mkdir(builtDir, { recursive: true });
  for (const name of names) {
    if (name === 'pgbench') continue;
    context.onProgress(`building and starting ${name}`);
    try {
      servers[name] = await (name === 'fastify' ? startFloor({ ...sizes, framework: 'fastify' }) : startBuilt(name, sizes, context));
    } catch (err) {
      context.signal.throwIfAborted();
      absent.push(`${name} (${messageOf(err)})`);
    }
  }
  return { servers, absent, stop: async () => void (await Promise.all(Object.values(servers).map((server) => server.stop()))) };
}

async function startBuilt(name: 'go' | 'axum', { postgres, processes, poolMax }: Sizes, { env, signal }: Context): Promise<Floor> {
  const { build, file } = builds[name];
  // Both keep what they have fetched and built below HOME.
  await runCommand({ ...build, env: { HOME: env['HOME'] ?? tmpdir() } }, { timeoutMs: buildTimeoutMs, signal });
  const child = startCommand({ file, args: [], endsWithParent: true });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  try {
    // By standard input: the password stands neither in arguments nor in the environment.
    child.stdin.write(`${JSON.stringify(jobOf(postgres, processes * poolMax, processes))}\n`);
    const [line] = (await once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(startTimeoutMs) })) as [string];
    const { port } = JSON.parse(line) as { port: number };
    return { origin: `http://127.0.0.1:${port}`, pid: child.pid ?? Number.NaN, stop };
  } catch (err) {
    await stop();
    throw new FloorError(`it did not start within ${startTimeoutMs / 1_000} s`, { cause: err });
  }
}

/** One process with as many threads and connections as the others have over all their processes, and the floor's statements. */
const jobOf = (postgres: Sizes['postgres'], pool: number, threads: number) => ({
  host: postgres.POSTGRES_HOST,
  port: postgres.POSTGRES_PORT,
  user: postgres.POSTGRES_USER,
  password: postgres.POSTGRES_PASSWORD ?? '',
  database: postgres.POSTGRES_DB,
  pool,
  threads,
  statements: {
    one: oneProduct.text,
    page: productPage.text,
    filter: filterPage.text,
    claim: claimKey.text,
    lock: lockProducts.text,
    record: recordOrder.text,
    take: takeStock.text,
    store: storeAnswer.text,
  },
});
