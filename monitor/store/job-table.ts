import { guarded, inTransaction, type Connection } from './database.ts';
import type { JobOutcome, JobRun, JobRuns } from './store.ts';

type JobRow = {
  job: string;
  started_at: number;
  machine_up_ms: number | null;
  reason: string;
  ended_at: number | null;
  outcome: JobOutcome | null;
  detail: string;
};

/** Attempts of scheduled jobs over their table. */
export function jobTable(connection: Connection): JobRuns {
  const end = connection.prepare('UPDATE job_runs SET ended_at = ?, outcome = ?, detail = ? WHERE id = ?');
  const cutOff = connection.prepare("UPDATE job_runs SET ended_at = ?, outcome = 'failed', detail = ? WHERE job = ? AND ended_at IS NULL");
  const recent = connection.prepare('SELECT * FROM job_runs WHERE job = ? ORDER BY id DESC LIMIT ?');
  const first = connection.prepare('SELECT min(started_at) AS started_at FROM job_runs WHERE job = ?');
  return {
    begin: (job, startedAt, reason, machineUpMs) =>
      inTransaction(connection, () => {
        // Prepared at the first write: a reader of a store of another version never gets there.
        const insert = connection.prepare('INSERT INTO job_runs (job, started_at, reason, machine_up_ms) VALUES (?, ?, ?, ?)');
        return Number(insert.run(job, startedAt, reason, machineUpMs ?? null).lastInsertRowid);
      }),
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
    machineUpMs: row.machine_up_ms ?? undefined,
    reason: row.reason,
    endedAt: row.ended_at ?? undefined,
    outcome: row.outcome ?? undefined,
    detail: row.detail,
  };
}
