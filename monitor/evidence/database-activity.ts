import type { PostgresSettings } from '#lib/settings.ts';
import type { Fact } from '../model/look.ts';
import { statementSql } from '../probes/postgres-state.ts';
import { withConnection } from '../probes/postgres.ts';
import type { ResolveHost } from '../probes/probe.ts';
import type { Shown, Source } from './source.ts';

/** What others do in the database. Times in ms; statements without their values. */
export type Activity = {
  readonly byState: readonly { readonly state: string; readonly count: number }[];
  readonly longest: readonly {
    readonly pid: number;
    readonly application: string;
    readonly state: string;
    readonly waitsFor: string | null;
    readonly ageMs: number;
    readonly statement: string;
  }[];
  /** Who holds what others wait for, most waited for first. */
  readonly holders: readonly {
    readonly pid: number;
    readonly application: string;
    readonly state: string;
    readonly heldMs: number;
    readonly waiting: number;
  }[];
};

/** A holder waits for nobody itself: of a chain only its beginning is told. Texts are cut, as anybody may choose them. */
const activitySql = `
WITH activity AS MATERIALIZED (
  SELECT pid, left(application_name, 40) AS application, coalesce(state, '') AS state, wait_event_type, xact_start, query, pg_blocking_pids(pid) AS blockers
  FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
)
SELECT json_build_object(
  'byState', (SELECT coalesce(json_agg(json_build_object('state', state, 'count', n) ORDER BY n DESC), '[]')
    FROM (SELECT state, count(*) AS n FROM activity GROUP BY state) AS states),
  'longest', (SELECT coalesce(json_agg(row_to_json(longest)), '[]') FROM (
    SELECT pid, application, state, wait_event_type AS "waitsFor", extract(epoch FROM clock_timestamp() - xact_start) * 1000 AS "ageMs",
      ${statementSql} AS statement
    FROM activity WHERE xact_start IS NOT NULL AND application <> current_setting('application_name') ORDER BY xact_start LIMIT 3) AS longest),
  'holders', (SELECT coalesce(json_agg(row_to_json(holders)), '[]') FROM (
    SELECT holder.pid, holder.application, holder.state, count(*) AS waiting,
      extract(epoch FROM clock_timestamp() - holder.xact_start) * 1000 AS "heldMs"
    FROM activity AS holder JOIN activity AS waiter ON holder.pid = ANY (waiter.blockers)
    WHERE cardinality(holder.blockers) = 0
    GROUP BY holder.pid, holder.application, holder.state, holder.xact_start ORDER BY count(*) DESC LIMIT 3) AS holders)) AS activity`;

/** What goes on in the database, by one statement that only reads and that the server itself ends in time. */
export const databaseActivity = (settings: PostgresSettings, resolveHost: ResolveHost): Source => ({
  name: 'PostgreSQL',
  look: (signal) =>
    withConnection(settings, { resolveHost, signal }, async (client) => {
      await client.query("SET default_transaction_read_only = on; SET statement_timeout = '1500ms'");
      const { rows } = await client.query<{ activity: Activity }>(activitySql);
      if (!rows[0]) throw new Error('it says nothing of what goes on in it');
      return describeActivity(rows[0].activity);
    }),
});

/** Pure. */
export function describeActivity({ byState, longest, holders }: Activity): Shown {
  const states = byState.map(({ state, count }) => `${count} ${state || 'not shown'}`).join(', ');
  const [holder] = holders;
  const facts: Fact[] = [
    ['Sessions', states || { code: 'noSession' }],
    ...longest.map(({ waitsFor, ...one }): Fact => ['Transaction', { code: 'transactionIs', ...one, waitsForLock: waitsFor === 'Lock' }]),
    ...holders.map((one): Fact => ['Lock', { code: 'lockIs', ...one }]),
  ];
  return holder ? { facts, signs: { lock: holder } } : { facts };
}
