import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { LimiterStore } from '../limiter/limiter.ts';
import {
  databaseHealth,
  latencyThresholds,
  poolHealth,
  poolThresholds,
  worstOf,
  type Health,
  type HealthReport,
  type PoolReport,
} from './health-report.ts';

export type HealthDeps = {
  readonly pool: Pool;
  /** A connection beside the pool, so that a busy pool is not taken for a database that is down. */
  readonly probe: Pool;
  /** What the settings ask the pool to open at most. */
  readonly configuredMax: number;
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
      if (!cached || cached.untilMs <= nowMs) cached = { untilMs: nowMs + cachedForMs, report: look(deps) };
      return cached.report;
    },
  };
}

async function look(deps: HealthDeps): Promise<HealthReport> {
  const dbPool = poolReport(deps);
  const [latencyMs, redis] = await Promise.all([databaseLatencyMs(deps.probe), redisReport(deps.redis)]);
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

/** @returns undefined when no answer came in time */
async function databaseLatencyMs(probe: Pool): Promise<number | undefined> {
  const startedAt = performance.now();
  const isUp = await settlesWithin(probe.query('SELECT 1'), databaseTimeoutMs);
  return isUp ? performance.now() - startedAt : undefined;
}

async function redisReport(redis: Redis | undefined): Promise<HealthReport['checks']['redis']> {
  if (!redis) return { status: 'disabled', health: 'healthy' };
  const isUp = await settlesWithin(redis.ping(), redisTimeoutMs);
  return isUp ? { status: 'up', health: 'healthy' } : { status: 'down', health: 'degraded' };
}

function poolReport({ pool, configuredMax }: HealthDeps): PoolReport {
  const { min = 0, max } = pool.options;
  const checkedOut = pool.totalCount - pool.idleCount;
  const utilization = Math.round((checkedOut / max) * 1000) / 10;
  return {
    ...poolHealth(utilization),
    size: min,
    checked_in: pool.idleCount,
    checked_out: checkedOut,
    overflow: Math.max(0, pool.totalCount - min),
    total_capacity: max,
    configured_capacity: configuredMax,
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
