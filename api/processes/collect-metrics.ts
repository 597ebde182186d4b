import { AggregatorRegistry, Counter, Gauge, Registry, type MetricObject } from 'prom-client';

/** The metrics of one worker as `registry.getMetricsAsJSON()` gives them. */
export type WorkerMetrics = { readonly worker: number; readonly metrics: readonly MetricObject[] };

/**
 * The text of /metrics: each series once summed over all workers (maximum or average where a sum means nothing), without
 * a `worker` label, and once for each worker with it.
 */
export function mergeMetrics(workers: readonly WorkerMetrics[]): Promise<string> {
  const summed = workers.map(({ metrics }) => [...metrics]);
  const single = workers.map(({ worker, metrics }) => metrics.map((metric) => withWorker(metric, worker)));
  return AggregatorRegistry.aggregate([...summed, ...single]).metrics();
}

type Value = { readonly labels: Readonly<Record<string, unknown>> };

function withWorker(metric: MetricObject, worker: number): MetricObject {
  const values = (metric as unknown as { values: readonly Value[] }).values;
  return { ...metric, values: values.map((value) => ({ ...value, labels: { ...value.labels, worker: String(worker) } })) } as MetricObject;
}

/** The primary's own series. */
export function createPrimaryMetrics(status: () => { readonly ready: number; readonly restarts: number }): Registry {
  const registry = new Registry();
  const registers = [registry];
  const ready: Gauge = new Gauge({
    name: 'atalaya_workers_ready',
    help: 'Worker processes that take requests.',
    registers,
    collect: () => ready.set(status().ready),
  });
  const startedAt = Date.now() / 1_000;
  const started: Gauge = new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the API was started, in s of the epoch.',
    registers,
    collect: () => started.set(startedAt),
  });
  const restarts: Counter = new Counter({
    name: 'atalaya_worker_restarts_total',
    help: 'Worker processes that were replaced.',
    registers,
    collect: () => {
      restarts.reset();
      restarts.inc(status().restarts);
    },
  });
  return registry;
}
