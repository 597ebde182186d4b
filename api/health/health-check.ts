import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { LimiterStore } from '../limiter/limiter.ts';
import { databaseHealth, latencyThresholds, poolHealth, poolThresholds, worstOf, type Health } from './health-rules.ts';

/** The document of GET /health_check; its names are public. */
export type HealthReport = {
  readonly status: Health;
  /** UTC, ISO 8601. */
  readonly timestamp: string;
  readonly checks: {
    readonly database: {
      readonly status: 'up' | 'down';
      readonly health: Health;
      readonly latency_ms: number | null;
      readonly thresholds: typeof latencyThresholds;
    };
    readonly redis: { readonly status: 'up' | 'down' | 'disabled'; readonly health: Health };
    readonly db_pool: PoolReport;
  };
  readonly limiter: { readonly store: LimiterStore };
  readonly version: string;
};

/** The pool of the worker that answers. `overflow`: connections open beyond DB_POOL_SIZE. */
export type PoolReport = {
  readonly health: Health;
  readonly size: number;
  readonly checked_in: number;
  readonly checked_out: number;
  readonly overflow: number;
  readonly total_capacity: number;
  readonly utilization_percent: number;
  readonly thresholds: typeof poolThresholds;
};

export type HealthDeps = {
  readonly pool: Pool;
  readonly poolSize: number;
  readonly poolMax: number;
  readonly redis: Redis | undefined;
  readonly limiterStore: () => LimiterStore;
  readonly version: string;
  readonly now?: () => Date;
};

export type HealthCheck = {
  /** At most a second old, however many ask. */
  readonly report: () => Promise<HealthReport>;
};

const cachedForMs = 1_000;
const databaseTimeoutMs = 2_000;
const redisTimeoutMs = 500;

export function createHealthCheck(deps: HealthDeps): HealthCheck {
  let cached: { readonly untilMs: number; readonly report: Promise<HealthReport> } | undefined;
  return {
    report: () => {
      const nowMs = performance.now();
      if (!cached || cached.untilMs <= nowMs) cached = { untilMs: nowMs + cachedForMs, report: probe(deps) };
      return cached.report;
    },
  };
}

async function probe(deps: HealthDeps): Promise<HealthReport> {
  // Before the probe itself takes a connection.
  const dbPool = poolReport(deps);
  const [latencyMs, redis] = await Promise.all([databaseLatencyMs(deps.pool), redisReport(deps.redis)]);
  const database = {
    status: latencyMs === undefined ? ('down' as const) : ('up' as const),
    health: databaseHealth(latencyMs),
    latency_ms: latencyMs === undefined ? null : Math.round(latencyMs * 100) / 100,
    thresholds: latencyThresholds,
  };
  const store = deps.limiterStore();
  const limiter: Health = store === 'local' ? 'degraded' : 'healthy';
  return {
    status: worstOf([database.health, redis.health, dbPool.health, limiter]),
    timestamp: (deps.now?.() ?? new Date()).toISOString(),
    checks: { database, redis, db_pool: dbPool },
    limiter: { store },
    version: deps.version,
  };
}

/** @returns undefined when no answer came in time, from a pool that is used up or a database that is down */
async function databaseLatencyMs(pool: Pool): Promise<number | undefined> {
  const startedAt = performance.now();
  const isUp = await settlesWithin(pool.query('SELECT 1'), databaseTimeoutMs);
  return isUp ? performance.now() - startedAt : undefined;
}

async function redisReport(redis: Redis | undefined): Promise<HealthReport['checks']['redis']> {
  if (!redis) return { status: 'disabled', health: 'healthy' };
  const isUp = await settlesWithin(redis.ping(), redisTimeoutMs);
  return isUp ? { status: 'up', health: 'healthy' } : { status: 'down', health: 'degraded' };
}

function poolReport({ pool, poolSize, poolMax }: HealthDeps): PoolReport {
  const checkedOut = pool.totalCount - pool.idleCount;
  const utilization = poolMax === 0 ? 0 : Math.round((checkedOut / poolMax) * 1000) / 10;
  return {
    health: poolHealth(utilization),
    size: poolSize,
    checked_in: pool.idleCount,
    checked_out: checkedOut,
    overflow: Math.max(0, pool.totalCount - poolSize),
    total_capacity: poolMax,
    utilization_percent: utilization,
    thresholds: poolThresholds,
  };
}

/** True when the work succeeds in time; it is left to itself otherwise. */
function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    work
      .then(
        () => resolve(true),
        () => resolve(false),
      )
      .finally(() => clearTimeout(timer));
  });
}
