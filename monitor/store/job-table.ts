import { guarded, inTransaction, type Connection } from './database.ts';
import type { JobOutcome, JobRun, JobRuns } from './store.ts';

type JobRow = {
  job: string;
  started_at: number;
  reason: string;
  ended_at: number | null;
  outcome: JobOutcome | null;
  detail: string;
};

/** Attempts of scheduled jobs over their table. */
export function jobTable(connection: Connection): JobRuns {
  const begin = connection.prepare('INSERT INTO job_runs (job, started_at, reason) VALUES (?, ?, ?)');
  const end = connection.prepare('UPDATE job_runs SET ended_at = ?, outcome = ?, detail = ? WHERE id = ?');
  const cutOff = connection.prepare("UPDATE job_runs SET ended_at = ?, outcome = 'failed', detail = ? WHERE job = ? AND ended_at IS NULL");
  const recent = connection.prepare('SELECT * FROM job_runs WHERE job = ? ORDER BY id DESC LIMIT ?');
  const first = connection.prepare('SELECT min(started_at) AS started_at FROM job_runs WHERE job = ?');
  return {
    begin: (job, startedAt, reason) => inTransaction(connection, () => Number(begin.run(job, startedAt, reason).lastInsertRowid)),
    end: (key, { at, outcome, detail }) => inTransaction(connection, () => void end.run(at, outcome, detail, key)),
    endCutOff: (job, { at, detail }) => inTransaction(connection, () => Number(cutOff.run(at, detail, job).changes)),
    recent: (job, limit) => guarded('cannot be read', () => (recent.all(job, limit) as unknown as JobRow[]).map(toJobRun)),
    firstStartedAt: (job) => guarded('cannot be read', () => (first.get(job) as { started_at: number | null }).started_at ?? undefined),
  };
}

function toJobRun(row: JobRow): JobRun {
  return {
    job: row.job,
    startedAt: row.started_at,
    reason: row.reason,
    endedAt: row.ended_at ?? undefined,
    outcome: row.outcome ?? undefined,
    detail: row.detail,
  };
}
