import { Client } from 'pg';
import type { Environment } from '#lib/env.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { runClosedLoad } from '../generate/closed-load.ts';
import type { Crowd } from '../generate/virtual-user.ts';
import { mergeHistograms, percentileMs } from '../measure/histogram.ts';
import { errorCount, settledCount, sumCounts } from '../measure/merge.ts';
import type { Profile } from '../measure/measurement.ts';
import { createAdminReader } from '../observe/admin-reader.ts';
import { measureMachineLoad } from '../observe/machine-load.ts';
import { prepareRun, type Preparation } from '../prepare-run.ts';
import { openOwnTarget } from '../target/open-target.ts';
import type { Target } from '../target/target.ts';
import { compare, roundOrder, type Comparison, type Round, type Score } from './rounds.ts';
import { FloorError, startFloor } from './start-floor.ts';

export type BenchOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

export const workloads = { read: 'GET one product', order: 'POST order of 3 lines' } as const;
export type Workload = keyof typeof workloads;

export type BenchResult = {
  readonly options: Pick<BenchOptions, 'rounds' | 'seconds' | 'connections'>;
  readonly processes: number;
  readonly poolMax: number;
  /** Share of the machine's CPU, 0–1, that others used before or after. */
  readonly othersBusy: number;
  readonly results: Readonly<Record<Workload, { readonly rounds: readonly Round[]; readonly comparison: Comparison }>>;
};

/** Both pools must fit below the server's max_connections beside one another. */
const benchDefaults = { DB_POOL_SIZE: '10', DB_MAX_OVERFLOW: '0' };
const warmUpMs = 1_000;
const machineLoadMs = 1_500;

/** Puts the API, with all its middleware and its limits on, beside the floor server, on one database, in one run. */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  options.onProgress('starting a stack of its own');
  const target = await openOwnTarget({ ...benchDefaults, ...options.env }, options.signal);
  try {
    const { processes, poolMax, postgres } = await readSizes(target);
    const floor = await startFloor({ postgres, processes, poolMax });
    try {
      await fillStock(postgres);
      options.onProgress(`registering ${options.connections} clients`);
      const profile = benchProfile(options);
      const preparation = await prepareRun(target, profile);
      const bench = new BenchRun({ api: target.origin, floor: floor.origin }, profile, preparation, options);
      const before = await measureMachineLoad(machineLoadMs);
      const results = { read: await bench.play('read'), order: await bench.play('order') };
      const othersBusy = Math.max(before, await measureMachineLoad(machineLoadMs));
      const { rounds, seconds, connections } = options;
      return { options: { rounds, seconds, connections }, processes, poolMax, othersBusy, results };
    } finally {
      await floor.stop();
    }
  } finally {
    options.onProgress('stopping the stack');
    await target.stop();
  }
}

const benchProfile = ({ seconds, connections }: BenchOptions): Profile => ({
  users: connections,
  thinkMs: [0, 0],
  warmUpMs,
  durationMs: seconds * 1_000,
  timeoutMs: 15_000,
  processes: 1,
  seed: 1,
  mix: [],
});

class BenchRun {
  readonly #origins: Readonly<Record<'api' | 'floor', string>>;
  readonly #profile: Profile;
  readonly #preparation: Preparation;
  readonly #options: BenchOptions;

  constructor(origins: Readonly<Record<'api' | 'floor', string>>, profile: Profile, preparation: Preparation, options: BenchOptions) {
    this.#origins = origins;
    this.#profile = profile;
    this.#preparation = preparation;
    this.#options = options;
  }

  async play(workload: Workload): Promise<BenchResult['results'][Workload]> {
    const rounds: Round[] = [];
    for (let round = 0; round < this.#options.rounds; round += 1) {
      const scores: Partial<Record<'api' | 'floor', Score>> = {};
      for (const contender of roundOrder(round)) {
        this.#options.onProgress(`${workloads[workload]}: round ${round + 1} of ${this.#options.rounds}, ${contender}`);
        scores[contender] = await this.#measure(workload, contender, `${round}`);
      }
      rounds.push(scores as Round);
    }
    return { rounds, comparison: compare(rounds) };
  }

  async #measure(workload: Workload, contender: 'api' | 'floor', round: string): Promise<Score> {
    const { runId, catalogue, clients } = this.#preparation;
    const crowd: Crowd = {
      script: workload,
      runId: `${runId}-${contender}-${round}`,
      profile: this.#profile,
      catalogue,
      weights: { browse: 0, buy: 0, lookBack: 0 },
      slowShare: 0,
    };
    const result = await runClosedLoad({ origin: this.#origins[contender], crowd, clients, signal: this.#options.signal });
    this.#options.signal.throwIfAborted();
    if (result.lost.length > 0) throw new FloorError(result.lost.join('; '));
    const from = warmUpMs / 1_000;
    const window = result.slices.filter(({ second }) => second >= from && second < from + this.#options.seconds);
    const histogram = mergeHistograms(window.map(({ latency }) => latency));
    const counts = sumCounts(result.slices);
    return {
      requestsPerSecond: sumCounts(window).ok / this.#options.seconds,
      p50Ms: percentileMs(histogram, 50) ?? null,
      p99Ms: percentileMs(histogram, 99) ?? null,
      requests: settledCount(counts),
      errors: errorCount(counts) + counts.limited + counts.refused,
    };
  }
}

/** How the API is set up, by its own word, so that the floor gets the same. */
async function readSizes(target: Target): Promise<{ processes: number; poolMax: number; postgres: PostgresSettings }> {
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

/** A bench must not end because the shop is sold out. */
async function fillStock(postgres: PostgresSettings): Promise<void> {
  const client = new Client(clientOptions(postgres, 'atalaya-loadtest'));
  await client.connect();
  try {
    await client.query(`WITH filled AS (UPDATE products SET stock = stock + 1000000 RETURNING id_key)
      INSERT INTO stock_movements (product_id, quantity, reason) SELECT id_key, 1000000, 'adjustment' FROM filled`);
  } finally {
    await client.end();
  }
}
