import { inTransaction, type Connection } from './database.ts';
import { incidentTables } from './incident-tables.ts';
import { jobTable } from './job-table.ts';
import { messageTable } from './message-table.ts';
import type { MonitorStore } from './store.ts';

/** The store over an open connection, which it closes. */
export function createStore(connection: Connection): MonitorStore {
  const { writeHealth, writeIncident, ...incidents } = incidentTables(connection);
  const { writeMessage, ...messages } = messageTable(connection);
  return {
    ...incidents,
    ...messages,
    write: (changes) =>
      inTransaction(connection, () => {
        for (const health of changes.health) writeHealth(health);
        for (const incident of changes.incidents) writeIncident(incident);
        for (const message of changes.messages) writeMessage(message);
      }),
    jobRuns: jobTable(connection),
    expire: (before) => expire(connection, before),
    close: () => connection.close(),
  };
}

function expire(connection: Connection, before: number): void {
  inTransaction(connection, () => {
    connection.prepare('DELETE FROM messages WHERE settled_at < ?').run(before);
    connection.prepare('DELETE FROM incidents WHERE ended_at < ?').run(before);
    connection.prepare('DELETE FROM job_runs WHERE started_at < ?').run(before);
  });
}
