import { ConfigError } from '#lib/errors.ts';

export type ConnectionNeeds = {
  readonly workers: number;
  readonly poolSize: number;
  readonly maxOverflow: number;
  /** Kept for the monitor, backups, migrations and the superuser. */
  readonly reserve: number;
  /** APIs that share the server, each with so many workers; every one takes an equal share. */
  readonly instances: number;
  /** `max_connections` of the server. */
  readonly serverMax: number;
};

export type ConnectionPlan = {
  readonly serverMax: number;
  /** Connections the pool of each worker may open: what is configured, or less where the server gives less. */
  readonly perWorkerMax: number;
  readonly totalMax: number;
  /** The arithmetic, where less is used than configured. */
  readonly scaledDown: string | undefined;
};

/** Beside its pool each worker holds one, by which it sees whether the database answers while the pool is busy. */
const healthConnections = 1;

/**
 * Shares out the server's connections, so that the pools can never ask for more than it has: that fails at the worst time,
 * under full load. Pure.
 * @throws {ConfigError} with the arithmetic and what to change, when not even one connection a worker is left
 */
export function planConnections(needs: ConnectionNeeds): ConnectionPlan {
  const { workers, poolSize, maxOverflow, reserve, instances, serverMax } = needs;
  const configured = poolSize + maxOverflow;
  const share = Math.floor((serverMax - reserve) / instances);
  const perWorkerMax = Math.min(configured, Math.floor(share / workers) - healthConnections);
  const plan = { serverMax, perWorkerMax, totalMax: workers * perWorkerMax };
  if (perWorkerMax === configured) return { ...plan, scaledDown: undefined };
  const wanted =
    `${workers} API_WORKERS × (${poolSize} DB_POOL_SIZE + ${maxOverflow} DB_MAX_OVERFLOW + ${healthConnections} for health checks) = ` +
    `${workers * (configured + healthConnections)} connections`;
  const left = `(${serverMax} max_connections − ${reserve} MAX_CONNECTIONS_RESERVE) ÷ ${instances} API_INSTANCES leaves ${Math.max(0, share)}`;
  if (perWorkerMax < 1) {
    throw new ConfigError([
      `${wanted}, but ${left}, less than ${1 + healthConnections} a worker; raise max_connections, or lower the reserve or the number of workers`,
    ]);
  }
  return { ...plan, scaledDown: `${wanted}, but ${left}: each worker's pool opens ${perWorkerMax} at most` };
}
