import { Client } from 'pg';
import { clientOptions } from '#lib/postgres.ts';
import type { TargetAtRest } from '../measurement/measurement.ts';
import type { Target } from '../targets/target.ts';

export type BackendState = {
  readonly active: number;
  readonly idleInTransaction: number;
  readonly waitingForLock: number;
  readonly total: number;
};

/** Reads the target's database, over one connection of its own. Every read gives undefined where there is no access. */
export type DatabaseReader = {
  /** The API's own sessions, by pg_stat_activity. */
  readonly backends: () => Promise<BackendState | undefined>;
  /** Those of them that are in a transaction and do nothing. */
  readonly openSessions: () => Promise<TargetAtRest['openSessions']>;
  /** How many sessions the server takes. */
  readonly maxConnections: () => Promise<number | undefined>;
  readonly close: () => Promise<void>;
};

const apiName = 'atalaya-api';

const backendsSql = `
  SELECT count(*) FILTER (WHERE state = 'active')::int AS active,
         count(*) FILTER (WHERE state LIKE 'idle in transaction%')::int AS "idleInTransaction",
         count(*) FILTER (WHERE wait_event_type = 'Lock')::int AS "waitingForLock",
         count(*)::int AS total
  FROM pg_stat_activity WHERE application_name = '${apiName}' AND datname = current_database()`;

/** Statements have parameters in place of what users sent. */
const openSessionsSql = `
  SELECT pid, (extract(epoch FROM now() - state_change) * 1000)::int AS "idleMs", left(query, 160) AS statement
  FROM pg_stat_activity WHERE application_name = '${apiName}' AND datname = current_database() AND state LIKE 'idle in transaction%'
  ORDER BY state_change LIMIT 10`;

export async function createDatabaseReader({ postgres }: Target): Promise<DatabaseReader> {
  const none = { backends: nothing, openSessions: async () => [], maxConnections: nothing, close: async () => {} };
  if (postgres === undefined) return none;
  const client = new Client({ ...clientOptions(postgres, 'atalaya-loadtest'), query_timeout: 10_000 });
  // A lost connection shows as reads that give nothing.
  client.on('error', () => {});
  if (
    !(await client.connect().then(
      () => true,
      () => false,
    ))
  )
    return none;
  const all = <T extends object>(sql: string): Promise<T[]> =>
    client.query<T>(sql).then(
      ({ rows }) => rows,
      () => [],
    );
  return {
    backends: async () => (await all<BackendState>(backendsSql))[0],
    openSessions: () => all<TargetAtRest['openSessions'][number]>(openSessionsSql),
    maxConnections: async () => (await all<{ most: number }>(`SELECT current_setting('max_connections')::int AS most`))[0]?.most,
    close: () => client.end().catch(() => {}),
  };
}

const nothing = async (): Promise<undefined> => undefined;
