import { ConfigError } from '#lib/errors.ts';

export type ConnectionNeeds = {
  readonly workers: number;
  readonly poolSize: number;
  readonly maxOverflow: number;
  /** Kept for the monitor, backups, migrations and the superuser. */
  readonly reserve: number;
  /** `max_connections` of the server. */
  readonly serverMax: number;
};

/** Connections one worker and all of them may open. */
export function poolTotals(needs: Pick<ConnectionNeeds, 'workers' | 'poolSize' | 'maxOverflow'>): {
  perWorkerMax: number;
  totalMax: number;
} {
  const perWorkerMax = needs.poolSize + needs.maxOverflow;
  return { perWorkerMax, totalMax: needs.workers * perWorkerMax };
}

/**
 * Refuses settings under which the pools could ask the server for more connections than it has: that fails at the worst
 * time, under full load. Pure.
 * @throws {ConfigError} with the arithmetic and what to change
 */
export function assertConnectionsFit(needs: ConnectionNeeds): void {
  const { totalMax } = poolTotals(needs);
  const needed = totalMax + needs.reserve;
  if (needed <= needs.serverMax) return;
  const pools = `${needs.workers} API_WORKERS × (${needs.poolSize} DB_POOL_SIZE + ${needs.maxOverflow} DB_MAX_OVERFLOW) = ${totalMax}`;
  throw new ConfigError([
    `${pools}, + ${needs.reserve} MAX_CONNECTIONS_RESERVE = ${needed} connections, but the server's max_connections is ${needs.serverMax}; ` +
      'lower one of them or raise max_connections',
  ]);
}
