import type { Connection } from './database.ts';
import { inTransaction } from './database.ts';
import { incidentTables } from './incident-tables.ts';
import { jobTable } from './job-table.ts';
import { outboxTable } from './outbox-table.ts';
import type { MonitorStore } from './store.ts';

/**
 * The store over an open connection, which it closes.
 * @param channels those every alert is queued for
 */
export function createStore(connection: Connection, channels: readonly string[]): MonitorStore {
  return {
    ...incidentTables(connection, channels),
    outbox: outboxTable(connection),
    jobRuns: jobTable(connection),
    expire: (before) => expire(connection, before),
    close: () => void connection.close(),
  };
}

function expire(connection: Connection, before: number): void {
  inTransaction(connection, () => {
    connection.prepare('DELETE FROM outbox WHERE sent_at < ? OR failed_at < ?').run(before, before);
    connection.prepare('DELETE FROM incidents WHERE ended_at < ?').run(before);
    connection.prepare('DELETE FROM job_runs WHERE started_at < ?').run(before);
  });
}
