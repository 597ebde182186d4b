import { performance } from 'node:perf_hooks';
import { createHttpClient } from '../targets/http-client.ts';
import type { Target } from '../targets/target.ts';
import { ofWorkers, parseMetrics, summed, type Series } from './prometheus.ts';
import type { WorkerSample } from '../measurement/measurement.ts';

export type PoolState = { readonly inUse: number; readonly capacity: number; readonly waiting: number };

/** What the workers and their pools say of themselves at one moment of `performance.now()`. */
export type ServerState = { readonly atMs: number; readonly pool: PoolState | undefined; readonly workers: readonly WorkerState[] };

export type WorkerState = Omit<WorkerSample, 'cpu'> & {
  /** Used since it began. */
  readonly cpuSeconds: number;
};

/** All that a state is made of: who looks ten times a second asks for nothing else. */
const vitals = [
  'atalaya_pool_connections',
  'atalaya_pool_max',
  'atalaya_pool_waiting',
  'atalaya_event_loop_delay_p99_seconds',
  'atalaya_process_resident_memory_bytes',
  'atalaya_process_cpu_seconds',
];
const vitalsPath = `/metrics?${new URLSearchParams(vitals.map((name): [string, string] => ['name[]', name])).toString()}`;

/** Reads the API's admin listener. Every read gives undefined where it cannot be reached or tells nothing of use. */
export type AdminReader = {
  readonly state: () => Promise<ServerState | undefined>;
  /** Requests answered so far, over all routes but those of health. */
  readonly requestsServed: () => Promise<number | undefined>;
  readonly config: () => Promise<Readonly<Record<string, unknown>> | undefined>;
  readonly close: () => Promise<void>;
};

export function createAdminReader({ admin }: Target): AdminReader {
  if (admin === undefined) return { state: nothing, requestsServed: nothing, config: nothing, close: async () => {} };
  const http = createHttpClient(admin.origin, 1);
  const read = async (path: string): Promise<{ text: string; json: unknown } | undefined> => {
    const answer = await http.send({ method: 'GET', path, headers: { authorization: `Bearer ${admin.token}` } }).catch(() => undefined);
    return answer?.status === 200 ? answer : undefined;
  };
  return {
    state: async () => {
      const metrics = await read(vitalsPath);
      return metrics && stateOf(parseMetrics(metrics.text), performance.now());
    },
    requestsServed: async () => {
      const counts = parseMetrics((await read('/metrics'))?.text ?? '').filter(
        ({ name, labels }) => name === 'atalaya_http_request_duration_seconds_count' && !('worker' in labels) && !isHealth(labels['route']),
      );
      return counts.length === 0 ? undefined : counts.reduce((sum, { value }) => sum + value, 0);
    },
    config: async () => (await read('/config'))?.json as Readonly<Record<string, unknown>> | undefined,
    close: http.close,
  };
}

/** Pure. */
export function stateOf(series: readonly Series[], atMs: number): ServerState {
  const inUse = summed(series, 'atalaya_pool_connections', { state: 'in_use' });
  const capacity = summed(series, 'atalaya_pool_max');
  const waiting = summed(series, 'atalaya_pool_waiting') ?? 0;
  const delays = new Map(ofWorkers(series, 'atalaya_event_loop_delay_p99_seconds'));
  const cpuOf = new Map(ofWorkers(series, 'atalaya_process_cpu_seconds'));
  const checkedOut = series.filter(({ labels }) => labels['state'] === 'in_use');
  const inUseOf = new Map(ofWorkers(checkedOut, 'atalaya_pool_connections'));
  const workers = ofWorkers(series, 'atalaya_process_resident_memory_bytes').map(([worker, residentBytes]) => ({
    worker,
    residentBytes,
    loopDelayMs: (delays.get(worker) ?? 0) * 1_000,
    connectionsInUse: inUseOf.get(worker) ?? 0,
    cpuSeconds: cpuOf.get(worker) ?? 0,
  }));
  return { atMs, pool: inUse === undefined || capacity === undefined ? undefined : { inUse, capacity, waiting }, workers };
}

const nothing = async (): Promise<undefined> => undefined;

const isHealth = (route: string | undefined): boolean => route !== undefined && /health_check|livez|readyz/.test(route);
