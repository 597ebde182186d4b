import type { LimiterStore } from '../limiter/limiter.ts';

/** How well a part does; the worst of the parts is the whole's. Only `critical` means that nothing can be served. */
export type Health = 'healthy' | 'warning' | 'degraded' | 'critical';

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

/** The pool of the worker that answers. */
export type PoolReport = {
  /** `busy`: nearly all connections are lent out, and requests may wait for one. */
  readonly status: 'available' | 'busy';
  readonly health: Health;
  readonly size: number;
  readonly checked_in: number;
  readonly checked_out: number;
  /** Connections open beyond `size`. */
  readonly overflow: number;
  readonly total_capacity: number;
  /** What the settings ask for; more than `total_capacity` where the server gives less, which /config of the admin port explains. */
  readonly configured_capacity: number;
  readonly utilization_percent: number;
  readonly thresholds: typeof poolThresholds;
};

export const latencyThresholds = { warning_ms: 100, critical_ms: 500 } as const;
export const poolThresholds = { warning_percent: 70, critical_percent: 90 } as const;

/**
 * Slow is not down: whoever takes a loaded API for a dead one adds its load to the others.
 * @param latencyMs undefined: the database did not answer
 */
export function databaseHealth(latencyMs: number | undefined): Health {
  if (latencyMs === undefined) return 'critical';
  if (latencyMs >= latencyThresholds.critical_ms) return 'degraded';
  return latencyMs >= latencyThresholds.warning_ms ? 'warning' : 'healthy';
}

/** Busy is not down either. */
export function poolHealth(utilizationPercent: number): Pick<PoolReport, 'status' | 'health'> {
  if (utilizationPercent >= poolThresholds.critical_percent) return { status: 'busy', health: 'degraded' };
  return { status: 'available', health: utilizationPercent >= poolThresholds.warning_percent ? 'warning' : 'healthy' };
}

const bySeverity: readonly Health[] = ['critical', 'degraded', 'warning', 'healthy'];

export function worstOf(parts: readonly Health[]): Health {
  return bySeverity.find((health) => parts.includes(health)) ?? 'healthy';
}
