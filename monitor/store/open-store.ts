import { beatTable } from './beat-table.ts';
import { inTransaction, type Connection } from './database.ts';
import { incidentTables } from './incident-tables.ts';
import { jobTable } from './job-table.ts';
import { latencyTable } from './latency-table.ts';
import { messageTable } from './message-table.ts';
import { quietTables } from './quiet-tables.ts';
import { sloTable } from './slo-table.ts';
import { recordTables } from './record-tables.ts';
import { tallyTable } from './tally-table.ts';
import type { MonitorStore } from './store.ts';

/** The store over an open connection, which it closes. */
export function createStore(connection: Connection): MonitorStore {
  const { writeHealth, writeIncident, ...incidents } = incidentTables(connection);
  const { writeMessage, ...messages } = messageTable(connection);
  const { writeSilence, addToTimeline, ...quiet } = quietTables(connection);
  const { addNote, ...records } = recordTables(connection);
  const { addTally, tallies } = tallyTable(connection);
  return {
    tallies,
    ...incidents,
    ...messages,
    ...quiet,
    ...records,
    write: (changes) =>
      inTransaction(connection, () => {
        for (const health of changes.health) writeHealth(health);
        for (const incident of changes.incidents) writeIncident(incident);
        for (const message of changes.messages) writeMessage(message);
        for (const silence of changes.silences ?? []) writeSilence(silence);
        for (const entry of changes.timeline ?? []) addToTimeline(entry);
        for (const note of changes.notes ?? []) addNote(note);
        for (const tally of changes.tallies ?? []) addTally(tally);
      }),
    jobRuns: jobTable(connection),
    slo: sloTable(connection),
    latencies: latencyTable(connection),
    beats: beatTable(connection),
    expire: (before) => expire(connection, before),
    close: () => connection.close(),
  };
}

function expire(connection: Connection, before: number): void {
  inTransaction(connection, () => {
    connection.prepare('DELETE FROM messages WHERE settled_at < ?').run(before);
    connection.prepare('DELETE FROM incidents WHERE ended_at < ?').run(before);
    connection.prepare('DELETE FROM notes WHERE incident_id NOT IN (SELECT id FROM incidents)').run();
    connection.prepare('DELETE FROM job_runs WHERE started_at < ?').run(before);
    connection.prepare('DELETE FROM silences WHERE ends_at < ?').run(before);
    connection.prepare('DELETE FROM nonces WHERE at < ?').run(before);
    connection.prepare('DELETE FROM timeline WHERE at < ?').run(before);
    connection.prepare('DELETE FROM tallies WHERE day < ?').run(Math.floor(before / 86_400_000));
  });
}
