import { Counter, Gauge, Histogram, Registry, type MetricObject } from 'prom-client';
import type { Pool } from 'pg';
import type { LimiterStore } from '../limiter/limiter.ts';
import type { LoopWatch } from './event-loop.ts';

/** What the gauges of a worker are read from, at each scrape. */
export type MetricSources = {
  readonly pool: Pool;
  readonly loop: LoopWatch;
  readonly inFlight: () => number;
  readonly limiterStore: () => LimiterStore;
  readonly logLinesDropped: () => number;
  readonly spansDropped: () => number;
};

export type Metrics = {
  readonly registry: Registry;
  /** What they are now. @param names only these; absent: all */
  readonly collect: (names?: readonly string[]) => Promise<readonly MetricObject[]>;
  /** @param isLoadTest whether a load test asked, as its credential says */
  readonly request: (method: string, route: string, status: number, seconds: number, isLoadTest?: boolean) => void;
  readonly acquire: (seconds: number, outcome: 'acquired' | 'failed') => void;
  readonly limited: (policyName: string) => void;
  readonly shed: (reason: string) => void;
  readonly limiterFallback: () => void;
};

const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10];
const acquireBuckets = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 10];

/** The metrics of one worker. The primary collects those of all, see `merge-metrics`. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'atalaya_http_request_duration_seconds',
    help: 'Time from the headers of a request to its answer, by method, route pattern and status; load="test" where a load test asked.',
    labelNames: ['method', 'route', 'status', 'load'],
    buckets: requestBuckets,
    registers,
  });
  const acquires = new Histogram({
    name: 'atalaya_pool_acquire_seconds',
    help: 'Time a transaction, or a question that many reads may share, waited for a database connection.',
    labelNames: ['outcome'],
    buckets: acquireBuckets,
    registers,
  });
  const limited = counter(registers, 'atalaya_rate_limited_total', 'Requests answered 429, by policy.', 'policy');
  const shed = counter(registers, 'atalaya_shed_total', 'Requests answered 503 before any work, by reason.', 'reason');
  const fallbacks = new Counter({
    name: 'atalaya_limiter_fallbacks_total',
    help: 'Times the rate limit fell back to counting locally.',
    registers,
  });
  return {
    registry,
    collect: (names) =>
      names === undefined
        ? registry.getMetricsAsJSON()
        : Promise.all(names.flatMap((name) => (registry.getSingleMetric(name) as Gauge | undefined)?.get() ?? [])),
    request: (method, route, status, seconds, isLoadTest = false) =>
      requests.observe({ method, route, status, ...(isLoadTest ? { load: 'test' } : {}) }, seconds),
    acquire: (seconds, outcome) => acquires.observe({ outcome }, seconds),
    limited: (policy) => limited.inc({ policy }),
    shed: (reason) => shed.inc({ reason }),
    limiterFallback: () => fallbacks.inc(),
  };
}

function counter<L extends string>(registers: Registry[], name: string, help: string, label: L): Counter<L> {
  return new Counter<L>({ name, help, labelNames: [label], registers });
}

/** Adds the gauges that are read when somebody asks. */
export function addGauges({ registry }: Metrics, sources: MetricSources): void {
  const { pool, loop, inFlight, limiterStore, logLinesDropped, spansDropped } = sources;
  const connections = new Gauge({
    name: 'atalaya_pool_connections',
    help: 'Database connections of the pool, by state.',
    labelNames: ['state'],
    registers: [registry],
    collect: () => {
      connections.set({ state: 'in_use' }, pool.totalCount - pool.idleCount);
      connections.set({ state: 'idle' }, pool.idleCount);
    },
  });
  const store = new Gauge({
    name: 'atalaya_limiter_store',
    help: 'Workers that count the rate limit in each store.',
    labelNames: ['store'],
    registers: [registry],
    collect: () => {
      for (const name of ['redis', 'primary', 'local'] as const) store.set({ store: name }, limiterStore() === name ? 1 : 0);
    },
  });
  gauge(
    registry,
    'atalaya_pool_waiting',
    'Transactions, and questions that many reads may share, that wait for a database connection.',
    () => pool.waitingCount,
  );
  gauge(registry, 'atalaya_pool_max', 'Connections the pool may open.', () => pool.options.max);
  gauge(registry, 'atalaya_http_in_flight', 'Requests being worked on.', inFlight);
  gauge(registry, 'atalaya_log_lines_dropped', 'Log lines given up because they could not be written.', logLinesDropped);
  gauge(registry, 'atalaya_trace_spans_dropped', 'Spans given up because the collector of traces did not take them.', spansDropped);
  gauge(registry, 'atalaya_event_loop_delay_mean_seconds', 'Mean lateness of the event loop.', () => loop.last().meanMs / 1000, 'max');
  gauge(registry, 'atalaya_event_loop_delay_p99_seconds', 'p99 lateness of the event loop.', () => loop.last().p99Ms / 1000, 'max');
  gauge(registry, 'atalaya_event_loop_utilization', 'Busy share of the event loop.', () => loop.last().utilization, 'average');
  gauge(registry, 'atalaya_process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge(registry, 'atalaya_process_cpu_seconds', 'CPU time used, user and system.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
}

/** @param aggregator how the values of all workers become one; default: their sum */
function gauge(registry: Registry, name: string, help: string, read: () => number, aggregator: 'sum' | 'max' | 'average' = 'sum'): void {
  const made: Gauge = new Gauge({ name, help, registers: [registry], aggregator, collect: () => made.set(read()) });
}
