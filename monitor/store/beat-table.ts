import type { BeatRecord } from '../model/beat.ts';
import { guarded, inTransaction, type Connection } from './database.ts';
import type { BeatLedger } from './store.ts';

type BeatRow = {
  probe: string;
  awaited_at: number;
  done_at: number | null;
  started_at: number | null;
  failed_at: number | null;
  exit_code: number | null;
};

/** What jobs said last, a row each. */
export function beatTable(connection: Connection): BeatLedger {
  return {
    all: () =>
      guarded('cannot be read', () =>
        (connection.prepare('SELECT * FROM beats').all() as unknown as BeatRow[]).map((row): BeatRecord => ({
          probe: row.probe,
          awaitedAt: row.awaited_at,
          doneAt: row.done_at ?? undefined,
          startedAt: row.started_at ?? undefined,
          failedAt: row.failed_at ?? undefined,
          exitCode: row.exit_code ?? undefined,
        })),
      ),
    write: ({ probe, awaitedAt, doneAt, startedAt, failedAt, exitCode }) =>
      void inTransaction(connection, () =>
        connection
          .prepare('INSERT OR REPLACE INTO beats (probe, awaited_at, done_at, started_at, failed_at, exit_code) VALUES (?, ?, ?, ?, ?, ?)')
          .run(probe, awaitedAt, doneAt ?? null, startedAt ?? null, failedAt ?? null, exitCode ?? null),
      ),
  };
}
