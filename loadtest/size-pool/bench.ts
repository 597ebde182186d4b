import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Client } from 'pg';
import type { Environment } from '#lib/env.ts';
import { clientOptions } from '#lib/postgres.ts';
import { playPhase } from '../generate/play-phase.ts';
import { mergeHistograms, percentileMs } from '../measurement/histogram.ts';
import type { Phase, PlayedPhase, ServerSample, Slice } from '../measurement/measurement.ts';
import { errorCount, settledCount, sumCounts } from '../measurement/merge.ts';
import { createAdminReader } from '../observe/admin-reader.ts';
import { calibrate } from '../observe/calibrate.ts';
import { createDatabaseReader } from '../observe/database-reader.ts';
import { sampleServer } from '../observe/sample-server.ts';
import { startNullServer } from '../observe/watch-machine.ts';
import { processesFor } from '../plans/phase-of.ts';
import type { Stage } from '../scenarios/scenario.ts';
import type { ShopFacts } from '../scenarios/shop/crowd.ts';
import { shop } from '../scenarios/shop/shop.ts';
import { startLocalStack, type OwnStack } from '../targets/local-stack.ts';
import { openGivenTarget } from '../targets/open-target.ts';
import { createSetUpClient } from '../targets/set-up.ts';
import type { Target } from '../targets/target.ts';
import { watchCpu } from './cpu-shares.ts';
import { startOwnApi } from './own-api.ts';
import type { PoolSetting, Shortage, Window } from './window.ts';

/** A throw-away stack on which windows of different pool sizes are played with the same load. */
export type Bench = {
  /** Starts the API with that pool, loads it for a window, and stops it. */
  readonly play: (setting: PoolSetting) => Promise<Window>;
  readonly stop: () => Promise<void>;
};

export type BenchOptions = {
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
  readonly users: number;
  readonly workers: number;
  readonly windowMs: number;
  readonly seed: number;
};

const scenario = shop({ browse: 6, buy: 3, lookBack: 1 });
const warmUpMs = 1_000;
/** More than all windows together can buy: shelves that run empty would change the load from window to window. */
const plenty = 1_000_000_000;

/** @throws what starting a stack or preparing the shop throws */
export async function openBench(options: BenchOptions): Promise<Bench> {
  const { env, signal, onStep, users, workers, seed, windowMs } = options;
  onStep('starting a stack of its own');
  // Its own API only keeps the database: one worker, one connection.
  const stack = await startLocalStack({ ...env, API_WORKERS: '1', DB_POOL_SIZE: '1', DB_MAX_OVERFLOW: '0' }, signal);
  const saturating = { kind: 'saturating', users } as const;
  try {
    const phase: Phase = {
      name: 'window',
      script: 'shop',
      load: saturating,
      warmUpMs,
      durationMs: windowMs,
      timeoutMs: 15_000,
      processes: processesFor(saturating),
    };
    const stage = await prepareShop(stack, options);
    onStep('calibrating the client on a server that does nothing');
    const runId = `sp-${randomBytes(4).toString('hex')}`;
    let windows = 0;
    // Every window sends the same requests; an order of an earlier one must not be taken for the same.
    const load = () => ({
      seed,
      crowdFile: scenario.crowdFile,
      users: stage.users,
      phase,
      signal,
      facts: bareFacts(stage, `${runId}-${(windows += 1)}`),
    });
    const nullServer = await startNullServer(scenario.nullServerFile);
    const calibration = await calibrate(load(), nullServer.origin).finally(nullServer.stop);
    signal.throwIfAborted();
    return {
      play: async (setting) => {
        const target = await startOwnApi(stack, { ...env, API_WORKERS: String(workers) }, setting, signal);
        try {
          return await measure(setting, target, { load, stack, workers, mostPerSecond: calibration?.requestsPerSecond ?? 0 });
        } finally {
          await target.stop();
          signal.throwIfAborted();
        }
      },
      stop: stack.stop,
    };
  } catch (err) {
    await stack.stop();
    throw err;
  }
}

/** Users and their accounts, made by the stack's own API. */
async function prepareShop(stack: OwnStack, { users, signal, onStep }: BenchOptions): Promise<Stage> {
  onStep(`registering ${users} users`);
  const target = await openGivenTarget(stack.env['API_URL'] ?? '', stack.env);
  if (target.postgres) {
    const client = new Client(clientOptions(target.postgres, 'atalaya-loadtest'));
    await client.connect();
    await client.query(`UPDATE products SET stock = ${plenty}`).finally(() => client.end());
  }
  const http = createSetUpClient(target.origin, signal);
  const request = { runId: `sp-${randomBytes(5).toString('hex')}`, users, mix: [], http };
  return scenario.prepare({ ...target, kind: 'own' }, request).finally(http.close);
}

/** Users remember nothing of earlier windows, so only statuses are looked at. */
const bareFacts = ({ facts }: Stage, runId: string): ShopFacts => ({ ...(facts as ShopFacts), runId, isBare: true });

type Play = {
  readonly load: () => Omit<Parameters<typeof playPhase>[0], 'origin' | 'startSecond' | 'onSlices'>;
  readonly stack: OwnStack;
  readonly workers: number;
  /** What the client does on a server that does nothing. */
  readonly mostPerSecond: number;
};

async function measure(setting: PoolSetting, target: Target, { load, stack, workers, mostPerSecond }: Play): Promise<Window> {
  const observers = { admin: createAdminReader(target), database: await createDatabaseReader(target) };
  const slices: Slice[] = [];
  const samples: ServerSample[] = [];
  const stop = new AbortController();
  const cpu = await watchCpu({ api: target.pid ?? 0, database: stack.pid });
  try {
    const sampling = sampleServer(observers, 0, (sample) => samples.push(sample), stop.signal);
    const onSlices = (news: readonly Slice[]): void => void slices.push(...news);
    const played = await playPhase({ ...load(), origin: target.origin, startSecond: 0, onSlices });
    stop.abort();
    const shares = await cpu();
    await sampling;
    return windowOf(setting, { slices, samples, played, mostPerSecond, ...shortageOf(samples, shares, workers) });
  } finally {
    stop.abort();
    await Promise.all([observers.admin.close(), observers.database.close()]);
  }
}

type Seen = {
  readonly slices: readonly Slice[];
  readonly samples: readonly ServerSample[];
  readonly played: PlayedPhase;
  readonly mostPerSecond: number;
} & { readonly shortage: Shortage };

function windowOf(setting: PoolSetting, { slices, played, mostPerSecond, shortage }: Seen): Window {
  const from = Math.ceil(played.warmUpMs / 1_000);
  const seconds = Math.floor(played.durationMs / 1_000);
  const measured = slices.filter(({ second }) => second >= from && second < from + seconds);
  const counts = sumCounts(measured);
  const perSecond = (counts.ok + counts.refused) / seconds;
  const cpus = played.processVitals.map((process) => mean(process.seconds.map((second) => second.cpu)) ?? 0);
  const settled = settledCount(counts);
  return {
    setting,
    perSecond,
    p95Ms: percentileMs(mergeHistograms(measured.map(({ latency }) => latency)), 95) ?? null,
    errorShare: settled === 0 || played.lost.length > 0 ? 1 : (errorCount(counts) + counts.limited) / settled,
    clientUse: Math.max(...cpus, mostPerSecond === 0 ? 1 : perSecond / mostPerSecond),
    shortage,
  };
}

function shortageOf(samples: readonly ServerSample[], cpu: Shortage['cpu'], workers: number): { readonly shortage: Shortage } {
  const backends = samples.flatMap((sample) => sample.backends ?? []);
  const active = mean(backends.map((one) => one.active));
  const waitingForLock = mean(backends.map((one) => one.waitingForLock));
  return { shortage: { cpu, workerCpu: cpu && (cpu.api * availableParallelism()) / workers, active, waitingForLock } };
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
