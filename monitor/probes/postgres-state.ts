import type { Client } from 'pg';
import { applicationName as backupName } from '#backups/deps.ts';
import { showDuration, showShare } from '#lib/show.ts';
import type { Fact } from '../model/look.ts';
import type { ProbeReport } from './probe.ts';
import type { Sentence } from '../words/sentence.ts';

/** What a server that answers is held to; beyond it is degraded. Infinity: not asked. */
export type PostgresLimits = {
  /** Share of the connections that clients may have. */
  readonly connections: number;
  /** Age of a transaction in ms; backups are long by nature, and have their own probe. */
  readonly longestTransaction: number;
  /** How far a standby may be behind, in ms. */
  readonly replicationLag: number;
  /** Standbys that must be connected. */
  readonly standbys: number;
  /** How long a statement may run, and its mean time between two looks, in ms. */
  readonly slowStatement: number;
};

/** What the server says of itself. Times in ms; `null` where there is no such thing. */
export type PostgresState = {
  readonly used: number;
  readonly most: number;
  /** Whether the role may see what others do. */
  readonly isSeen: boolean;
  readonly longest: { readonly pid: number; readonly application: string; readonly state: string; readonly ageMs: number } | null;
  /** The statement that has run longest without waiting for a lock: one that waits is no cause. */
  readonly running: { readonly pid: number; readonly application: string; readonly statement: string; readonly ageMs: number } | null;
  /** Behind its primary, where the server is a standby itself. */
  readonly behindMs: number | null;
  readonly standbys: readonly { readonly name: string; readonly behindMs: number }[];
  readonly hasStatements: boolean;
};

/**
 * SQL of a statement's first words without its values: `query` of pg_stat_activity is cut, and may end within one. A backslash is
 * taken for an escape everywhere, and nothing is shown behind a dollar quote: rather too little than a value.
 */
export const statementSql = String.raw`left(regexp_replace(regexp_replace(query, $re$'(?:[^'\\]|''|\\.)*(?:'|$)|\$\w*\$.*|\m\d+\M$re$, '?', 'g'), '\s+', ' ', 'g'), 80)`;

/**
 * A standby tells how far it is when it has written something, and every 10 s: one that is behind and silent is as far back as
 * its last word. Names are cut, as anybody may choose them.
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW
 */
const stateSql = `
SELECT json_build_object(
  'used', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  'most', current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
  'isSeen', pg_has_role(current_user, 'pg_read_all_stats', 'usage'),
  'longest', (SELECT json_build_object('pid', pid, 'application', left(application_name, 40), 'state', state,
      'ageMs', extract(epoch FROM clock_timestamp() - xact_start) * 1000)
    FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND xact_start IS NOT NULL AND pid <> pg_backend_pid() AND application_name <> $1
    ORDER BY xact_start LIMIT 1),
  'running', (SELECT json_build_object('pid', pid, 'application', left(application_name, 40), 'statement', ${statementSql},
      'ageMs', extract(epoch FROM clock_timestamp() - query_start) * 1000)
    FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock' AND pid <> pg_backend_pid()
      AND application_name <> $1
    ORDER BY query_start LIMIT 1),
  'behindMs', CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
    THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000 END,
  'standbys', (SELECT coalesce(json_agg(json_build_object('name', left(application_name, 40), 'behindMs',
      coalesce(1000 * extract(epoch FROM greatest(replay_lag, CASE WHEN replay_lsn <
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END
        THEN clock_timestamp() - reply_time END)), 0))), '[]') FROM pg_stat_replication),
  'hasStatements', to_regclass('pg_stat_statements') IS NOT NULL) AS state`;

export async function readState(client: Client): Promise<PostgresState> {
  const { rows } = await client.query<{ state: PostgresState }>(stateSql, [backupName]);
  if (!rows[0]) throw new Error('it says nothing of its state');
  return rows[0].state;
}

const minute = 60_000;

/** One whose calls since the last look took too long on average. */
export type SlowStatement = { readonly calls: number; readonly meanMs: number; readonly statement: string };

/** What is seen, the sentence that says what it means, and what to do about it. */
type Trouble = { readonly seen: string; readonly cause: Sentence; readonly nextStep: Sentence };

/** What the state says, worst first; `slow` are statements that took too long on average since the last look. Pure. */
export function judgeState(where: string, limits: PostgresLimits, state: PostgresState, slow: readonly SlowStatement[] = []): ProbeReport {
  const { used, most, longest } = state;
  const facts: Fact[] = [['Connections', { code: 'usedOf', used, most }]];
  if (longest && longest.ageMs > minute) facts.push(['Longest transaction', { code: 'oldOf', ageMs: longest.ageMs, pid: longest.pid }]);
  const unseen = [
    state.isSeen ? [] : 'what others do, without the role pg_read_all_stats',
    Number.isFinite(limits.slowStatement) && !state.hasStatements
      ? 'slow statements that are over, without the extension pg_stat_statements'
      : [],
  ].flat();
  if (unseen.length > 0) facts.push(['Cannot be seen', unseen.join('; ')]);
  const [worst, ...others] = troublesOf(limits, state, slow);
  const seen = [worst, ...others].flatMap((trouble) => trouble?.seen ?? []);
  const detail = [`${where} answers`, ...seen, ...unseen.map((what) => `not seen: ${what}`)].join('; ');
  if (!worst) return { outcome: 'ok', detail, facts };
  return { outcome: 'degraded', cause: worst.cause, detail, facts, nextStep: worst.nextStep };
}

const nameOf = ({ application }: { readonly application: string }): string => application || 'a client without a name';

function troublesOf(limits: PostgresLimits, state: PostgresState, slow: readonly SlowStatement[]): Trouble[] {
  const { used, most, longest, running } = state;
  const share = used / Math.max(1, most);
  const isFull = share > limits.connections;
  const isOld = longest !== null && longest.ageMs > limits.longestTransaction;
  const old: Trouble[] = isOld ? [oldTransaction(longest)] : [];
  const nextStep: Sentence = { code: 'whatGoesOn' };
  const full: Trouble = {
    seen: `${used} of ${most} connections are in use, ${showShare(share)}`,
    cause: { code: 'connectionsFew' },
    nextStep,
  };
  return [
    isFull ? full : [],
    // One at work is explained by what it does.
    longest?.state === 'active' ? [] : old,
    running !== null && running.ageMs > limits.slowStatement ? [slowStatement(running)] : [],
    longest?.state === 'active' ? old : [],
    standbyTroubles(limits, state).map((seen): Trouble => ({ seen, cause: { code: 'standbyBehind' }, nextStep })),
    slow.map(slowOnAverage),
  ].flat();
}

function oldTransaction(longest: NonNullable<PostgresState['longest']>): Trouble {
  const { application, pid, state, ageMs } = longest;
  return {
    seen: `a transaction of ${nameOf(longest)} (process ${pid}, ${state}) is ${showDuration(ageMs)} old`,
    cause: { code: 'transactionOpen', application, pid, isActive: state === 'active' },
    nextStep: { code: 'endSession', pid },
  };
}

function slowStatement(running: NonNullable<PostgresState['running']>): Trouble {
  const { statement, application, pid, ageMs } = running;
  return {
    seen: `a statement of ${nameOf(running)} (process ${pid}) has run for ${showDuration(ageMs)}: ${statement}`,
    cause: { code: 'statementRuns', statement, application, pid, ageMs },
    nextStep: { code: 'cancelStatement', pid },
  };
}

const slowOnAverage = ({ calls, meanMs, statement }: SlowStatement): Trouble => ({
  seen: `${calls} calls took ${showDuration(meanMs)} each: ${statement}`,
  cause: { code: 'statementsSlow', calls, meanMs, statement },
  nextStep: { code: 'explainStatement' },
});

const standbyTroubles = (limits: PostgresLimits, { behindMs, standbys }: PostgresState): string[] => [
  ...(behindMs !== null && behindMs > limits.replicationLag ? [`it is ${showDuration(behindMs)} behind its primary`] : []),
  ...standbys
    .filter((standby) => standby.behindMs > limits.replicationLag)
    .map(({ name, behindMs: ms }) => `standby ${name} is ${showDuration(ms)} behind`),
  ...(standbys.length < limits.standbys ? [`${standbys.length} of ${limits.standbys} standbys are connected`] : []),
];

type Totals = ReadonlyMap<string, { readonly calls: number; readonly totalMs: number }>;

/** Few calls say little about a statement. */
const leastCalls = 3;
const mostShown = 3;

/** Asks at each look which statements took longer on average than `limitMs` since the look before; the first only begins to count. */
export function createStatementWatch(limitMs: number): (client: Client) => Promise<readonly SlowStatement[]> {
  let before: Totals | undefined;
  return async (client) => {
    const { rows } = await client.query<{ id: string; text: string; calls: number; total: number }>(
      `SELECT queryid::text AS id, left(regexp_replace(query, '\\s+', ' ', 'g'), 80) AS text, calls::float8 AS calls, total_exec_time AS total
       FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND max_exec_time >= $1
       ORDER BY total_exec_time DESC LIMIT 200`,
      [limitMs],
    );
    const now: Totals = new Map(rows.map(({ id, calls, total }) => [id, { calls, totalMs: total }]));
    const slow = before === undefined ? [] : rows.flatMap((row) => slowSince(before?.get(row.id), row, limitMs) ?? []);
    before = now;
    return slow.slice(0, mostShown);
  };
}

/** One that was reset, or was never slow before, counts from its beginning. Pure. */
export function slowSince(
  before: { readonly calls: number; readonly totalMs: number } | undefined,
  now: { readonly text: string; readonly calls: number; readonly total: number },
  limitMs: number,
): SlowStatement | undefined {
  const since = before && before.calls <= now.calls ? before : { calls: 0, totalMs: 0 };
  const calls = now.calls - since.calls;
  const meanMs = (now.total - since.totalMs) / Math.max(1, calls);
  if (calls < leastCalls || meanMs <= limitMs) return undefined;
  return { calls, meanMs, statement: now.text };
}
