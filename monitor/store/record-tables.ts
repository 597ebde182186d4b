import type { Note } from '../model/incident.ts';
import { guarded, type Connection } from './database.ts';
import { incidentsWhere } from './incident-tables.ts';
import { toMessage, type MessageRow } from './message-table.ts';
import { toEntry, type TimelineRow } from './quiet-tables.ts';
import type { IncidentQuery, IncidentRecords } from './store.ts';

type NoteRow = { incident_id: string; at: number; by: string; kind: Note['kind']; is_public: number; text: string };

export type RecordTables = IncidentRecords & { readonly addNote: (note: Note) => void };

const taken = 'SELECT 1 FROM incidents WHERE id = ? UNION ALL SELECT 1 FROM messages WHERE alert_id > ? AND alert_id < ? LIMIT 1';

/** Single incidents with all that belongs to them, over the tables of the others and one of notes. */
export function recordTables(connection: Connection): RecordTables {
  const rowsOf = <Row>(sql: string, ...parameters: readonly (string | number)[]): Row[] =>
    guarded('cannot be read', () => connection.prepare(sql).all(...parameters) as unknown as Row[]);
  return {
    incident: (id) => incidentsWhere(connection, 'id = ?', [id])[0],
    isTaken: (id) => {
      try {
        return connection.prepare(taken).get(id, `${id}.`, `${id}/`) !== undefined;
      } catch {
        return false;
      }
    },
    incidentPage: (query) => {
      const { conditions, parameters } = conditionsOf(query);
      const condition = `${['true', ...conditions].join(' AND ')} ORDER BY started_at DESC, id DESC LIMIT ?`;
      return incidentsWhere(connection, condition, [...parameters, query.limit]);
    },
    storyOf: ({ id, probe, startedAt, endedAt }) => ({
      // Ids of alerts are `<incident>.<event>.<n>`; the sign after the dot is the slash.
      messages: rowsOf<MessageRow>('SELECT * FROM messages WHERE alert_id > ? AND alert_id < ? ORDER BY id', `${id}.`, `${id}/`).map(
        toMessage,
      ),
      timeline: rowsOf<TimelineRow>('SELECT * FROM timeline WHERE incident_id = ? ORDER BY id', id).map(toEntry),
      explained: incidentsWhere(
        connection,
        'suppressed_by = ? AND started_at <= ? AND (ended_at IS NULL OR ended_at >= ?) ORDER BY started_at',
        [probe, endedAt ?? Number.MAX_SAFE_INTEGER, startedAt],
      ),
    }),
    notesOf: (ids) =>
      rowsOf<NoteRow>('SELECT * FROM notes WHERE incident_id IN (SELECT value FROM json_each(?)) ORDER BY id', JSON.stringify(ids)).map(
        toNote,
      ),
    addNote: ({ incidentId, at, by, kind, isPublic, text }) => {
      connection
        .prepare('INSERT INTO notes (incident_id, at, by, kind, is_public, text) VALUES (?, ?, ?, ?, ?, ?)')
        .run(incidentId, at, by, kind, isPublic ? 1 : 0, text);
    },
  };
}

function conditionsOf({ probe, kind, after, isPublic }: IncidentQuery): { conditions: string[]; parameters: (string | number)[] } {
  const given: readonly (readonly [string, readonly (string | number)[]])[] = [
    ...(probe === undefined ? [] : [['probe = ?', [probe]] as const]),
    ...(kind === undefined ? [] : [['kind = ?', [kind]] as const]),
    ...(isPublic === true ? [["kind <> 'self'", []] as const] : []),
    ...(after === undefined ? [] : [['(started_at, id) < (?, ?)', [after.startedAt, after.id]] as const]),
  ];
  return { conditions: given.map(([condition]) => condition), parameters: given.flatMap(([, parameters]) => parameters) };
}

function toNote({ incident_id: incidentId, at, by, kind, is_public: isPublic, text }: NoteRow): Note {
  return { incidentId, at, by, kind, isPublic: isPublic === 1, text };
}
