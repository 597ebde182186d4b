import { guarded, inTransaction, type Connection } from './database.ts';
import type { SloLedger } from './store.ts';

/** Counts of answers over their table, a row a minute at most. */
export function sloTable(connection: Connection): SloLedger {
  return {
    add: (slo, { at, good, bad }) => {
      if (good + bad === 0) return;
      inTransaction(connection, () =>
        connection
          .prepare(
            `INSERT INTO slo_counts (slo, at, good, bad) VALUES (?, ?, ?, ?)
             ON CONFLICT (slo, at) DO UPDATE SET good = good + excluded.good, bad = bad + excluded.bad`,
          )
          .run(slo, at, good, bad),
      );
    },
    sum: (slo, since) =>
      guarded('cannot be read', () => {
        const row = connection
          .prepare('SELECT coalesce(sum(good), 0) AS good, coalesce(sum(bad), 0) AS bad FROM slo_counts WHERE slo = ? AND at > ?')
          .get(slo, since) as { good: number; bad: number };
        return { good: row.good, bad: row.bad };
      }),
    forget: (before) => void inTransaction(connection, () => connection.prepare('DELETE FROM slo_counts WHERE at < ?').run(before)),
  };
}
