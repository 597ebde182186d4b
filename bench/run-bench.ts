import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import type { Environment } from '#lib/env.ts';
import { clientOptions } from '#lib/postgres.ts';
import { processTree, readProcesses } from '#lib/proc.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { createAdminReader } from '#loadtest/observe/admin-reader.ts';
import { measureMachineLoad } from '#loadtest/observe/watch-machine.ts';
import type { ShopFacts } from '#loadtest/scenarios/shop/crowd.ts';
import { shop } from '#loadtest/scenarios/shop/shop.ts';
import { createSetUpClient } from '#loadtest/targets/set-up.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import type { Target } from '#loadtest/targets/target.ts';
import { measureClient, playWorkload, type Arena, type ClientSpeed, type Workload } from './play-workload.ts';
import type { Comparison, Peer, Round } from './rounds.ts';
import { FloorError, startFloor, type Floor } from './start-floor.ts';
import { startPeers, type StartedPeers } from './peers/start-peers.ts';

export type BenchOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly workloads: readonly Workload[];
  readonly peers: readonly Peer[];
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

export type BenchResult = {
  readonly options: Pick<BenchOptions, 'rounds' | 'seconds' | 'connections'>;
  readonly processes: number;
  readonly poolMax: number;
  /** Why a peer that was asked for did not play. */
  readonly absent: readonly string[];
  /** Share of the machine's CPU, 0–1, that others used before or after. */
  readonly othersBusy: number;
  /** The client by itself; undefined when that could not be measured. */
  readonly client: ClientSpeed | undefined;
  readonly results: Readonly<Partial<Record<Workload, { readonly rounds: readonly Round[]; readonly comparison: Comparison }>>>;
};

/** Both pools must fit below the server's max_connections beside one another. */
export const benchDefaults = { DB_POOL_SIZE: '10', DB_MAX_OVERFLOW: '0' };
const warmUpMs = 2_000;
const machineLoadMs = 1_500;

/** Puts the API, with all its middleware and its limits on, beside the floor server, on one database, in one run. */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  options.onProgress('starting a stack of its own');
  const target = await openOwnTarget({ ...benchDefaults, ...options.env }, options.signal);
  try {
    const { processes, poolMax, postgres } = await readSizes(target);
    const sizes = { postgres, processes, poolMax };
    const floor = await startFloor({ ...sizes, framework: 'none' });
    const peers = await startPeers(options.peers, sizes, options);
    try {
      await fillStock(postgres);
      return { processes, poolMax, absent: peers.absent, ...(await playAll(target, { ...sizes, floor, peers }, options)) };
    } finally {
      await Promise.all([floor.stop(), peers.stop()]);
    }
  } finally {
    options.onProgress('stopping the stack');
    await target.stop();
  }
}

type Field = {
  readonly floor: Floor;
  readonly peers: StartedPeers;
  readonly postgres: PostgresSettings;
  readonly processes: number;
  readonly poolMax: number;
};

async function playAll(
  target: Target,
  { floor, peers, postgres, processes, poolMax }: Field,
  options: BenchOptions,
): Promise<Omit<BenchResult, 'processes' | 'poolMax' | 'absent'>> {
  const { rounds, seconds, connections, onProgress } = options;
  const open = await openArena(target, options);
  const pgbench = options.peers.includes('pgbench') ? { postgres, connections: processes * poolMax } : undefined;
  const arena: Arena = { ...open, pgbench, servers: { floor, ...peers.servers, ...open.servers } };
  const before = await measureMachineLoad(machineLoadMs);
  onProgress('holding the answers against one another');
  await assertSameBytes(arena);
  onProgress('measuring the client alone');
  const client = await measureClient(arena);
  const results: { -readonly [W in Workload]?: Awaited<ReturnType<typeof playWorkload>> } = {};
  for (const workload of options.workloads) results[workload] = await playWorkload(workload, arena);
  const othersBusy = Math.max(before, await measureMachineLoad(machineLoadMs));
  return { options: { rounds, seconds, connections }, othersBusy, client, results };
}

/** What the workloads that read ask for, of each one. */
const probes = ({ catalogue }: Pick<Arena, 'catalogue'>): string[] => [
  ...catalogue.goods.products.slice(0, 5).map(({ id }) => `/api/v1/products/${id}`),
  ...[0, 7].map((skip) => `/api/v1/products?skip=${skip}&limit=20`),
  ...catalogue.words
    .slice(0, 3)
    .map((word) => `/api/v1/products/filter?search=${word}&max_price=300.50&in_stock_only=true&sort_by=price_asc&limit=20`),
];

/**
 * A contender that answers other bytes does other work.
 * @throws {FloorError} naming the first answer that is another than the API's
 */
export async function assertSameBytes(arena: Pick<Arena, 'servers' | 'catalogue' | 'signal'>): Promise<void> {
  const { servers, signal } = arena;
  for (const path of probes(arena)) {
    const ours = await fetchText(`${servers.api?.origin}${path}`, signal);
    for (const [name, { origin }] of Object.entries(servers)) {
      if ((await fetchText(`${origin}${path}`, signal)) !== ours)
        throw new FloorError(`${name} answers GET ${path} otherwise than the API`);
    }
  }
}

const fetchText = async (url: string, signal: AbortSignal): Promise<string> => (await fetch(url, { signal })).text();

/** Registers the users that play, and says where; the API alone is there. */
export async function openArena(target: Target, options: Omit<BenchOptions, 'workloads'>): Promise<Arena> {
  const { rounds, connections, onProgress, signal } = options;
  onProgress(`registering ${connections} clients`);
  const scenario = shop({ browse: 0, buy: 0, lookBack: 0 });
  const runId = `bench-${randomBytes(5).toString('hex')}`;
  const http = createSetUpClient(target.origin, signal);
  const stage = await scenario.prepare(target, { runId, users: connections, mix: [], http }).finally(http.close);
  return {
    servers: { api: { origin: target.origin, pid: await apiProcess(target.pid) } },
    pgbench: undefined,
    nullServerFile: scenario.nullServerFile,
    runId,
    users: stage.users,
    catalogue: (stage.facts as ShopFacts).catalogue,
    phase: benchPhase(options),
    rounds,
    signal,
    onProgress,
  };
}

const benchPhase = ({ seconds }: Pick<BenchOptions, 'seconds'>): Arena['phase'] => ({
  name: 'bench',
  warmUpMs,
  durationMs: seconds * 1_000,
  timeoutMs: 15_000,
  processes: 1,
});

/** How the API is set up, by its own word, so that the floor gets the same. */
export async function readSizes(target: Target): Promise<{ processes: number; poolMax: number; postgres: PostgresSettings }> {
  const admin = createAdminReader(target);
  try {
    const config = (await admin.config()) as { workers?: number; pool?: { per_worker_max?: number } } | undefined;
    const [processes, poolMax] = [config?.workers, config?.pool?.per_worker_max];
    if (processes === undefined || poolMax === undefined || target.postgres === undefined) {
      throw new FloorError("the API's /config names no workers and pool size");
    }
    return { processes, poolMax, postgres: target.postgres };
  } finally {
    await admin.close();
  }
}

/** Of a stack, the primary process of its API, from which the workers descend: what the monitor does is no cost of a request. */
export async function apiProcess(stackPid: number | undefined): Promise<number | undefined> {
  for (const { pid } of stackPid === undefined ? [] : processTree(await readProcesses(), stackPid)) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (commandLine.includes('api/main.ts')) return pid;
  }
  return undefined;
}

/** A bench must not end because the shop is sold out. */
export async function fillStock(postgres: PostgresSettings): Promise<void> {
  await withClient(postgres, (client) =>
    client.query(`WITH filled AS (UPDATE products SET stock = stock + 1000000 RETURNING id_key)
      INSERT INTO stock_movements (product_id, quantity, reason) SELECT id_key, 1000000, 'adjustment' FROM filled`),
  );
}

/** Gives `work` a session of its own, which ends with it. */
export async function withClient<T>(postgres: PostgresSettings, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(clientOptions(postgres, 'atalaya-bench'));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
