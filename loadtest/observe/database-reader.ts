import { Client } from 'pg';
import { clientOptions } from '#lib/postgres.ts';
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
  readonly close: () => Promise<void>;
};

const apiName = 'atalaya-api';

const backendsSql = `
  SELECT count(*) FILTER (WHERE state = 'active')::int AS active,
         count(*) FILTER (WHERE state LIKE 'idle in transaction%')::int AS "idleInTransaction",
         count(*) FILTER (WHERE wait_event_type = 'Lock')::int AS "waitingForLock",
         count(*)::int AS total
  FROM pg_stat_activity WHERE application_name = '${apiName}' AND datname = current_database()`;

export async function createDatabaseReader({ postgres }: Target): Promise<DatabaseReader> {
  const none = { backends: nothing, close: async () => {} };
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
  const one = async <T extends object>(sql: string): Promise<T | undefined> => {
    const rows = await client.query<T>(sql).then(
      (result) => result.rows,
      () => [],
    );
    return rows[0];
  };
  return {
    backends: () => one<BackendState>(backendsSql),
    close: () => client.end().catch(() => {}),
  };
}

const nothing = async (): Promise<undefined> => undefined;
