/** How well a part does; the worst of the parts is the whole's. */
export type Health = 'healthy' | 'warning' | 'degraded' | 'critical';

export const latencyThresholds = { warning_ms: 100, critical_ms: 500 } as const;
export const poolThresholds = { warning_percent: 70, critical_percent: 90 } as const;

/** @param latencyMs undefined: the database did not answer */
export function databaseHealth(latencyMs: number | undefined): Health {
  if (latencyMs === undefined || latencyMs >= latencyThresholds.critical_ms) return 'critical';
  return latencyMs >= latencyThresholds.warning_ms ? 'warning' : 'healthy';
}

export function poolHealth(utilizationPercent: number): Health {
  if (utilizationPercent >= poolThresholds.critical_percent) return 'critical';
  return utilizationPercent >= poolThresholds.warning_percent ? 'warning' : 'healthy';
}

const bySeverity: readonly Health[] = ['critical', 'degraded', 'warning', 'healthy'];

export function worstOf(parts: readonly Health[]): Health {
  return bySeverity.find((health) => parts.includes(health)) ?? 'healthy';
}
