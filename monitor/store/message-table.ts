import type { Alert } from '../model/alert.ts';
import { guarded, type Connection } from './database.ts';
import type { MessageState, MonitorStore, StoredMessage } from './store.ts';

export type MessageRow = {
  channel: string;
  alert: string;
  state: MessageState;
  attempts: number;
  refusals: number;
  is_uncertain: number;
  last_error: string | null;
  settled_at: number | null;
};

export type MessageTable = Pick<MonitorStore, 'pendingMessages' | 'failedMessages' | 'channelTotals'> & {
  readonly writeMessage: (message: StoredMessage) => void;
};

/** Messages over their table. A row keeps the place in which it was queued, and one never tried overwrites none. */
export function messageTable(connection: Connection): MessageTable {
  const messagesWhere = (condition: string, parameters: readonly number[]): StoredMessage[] =>
    guarded('cannot be read', () => {
      const rows = connection.prepare(`SELECT * FROM messages WHERE ${condition} ORDER BY id`).all(...parameters);
      return (rows as unknown as MessageRow[]).map(toMessage);
    });
  return {
    pendingMessages: () => messagesWhere("state = 'pending'", []),
    failedMessages: (decidedSince) => messagesWhere("state = 'failed' AND decided_at >= ?", [decidedSince]),
    channelTotals: (channel, failedSince) =>
      guarded('cannot be read', () => {
        const row = connection
          .prepare(
            `SELECT count(*) FILTER (WHERE state = 'failed' AND settled_at >= ?) AS failed,
               max(settled_at) FILTER (WHERE state = 'sent') AS last_sent_at
             FROM messages WHERE channel = ?`,
          )
          .get(failedSince, channel) as { failed: number; last_sent_at: number | null };
        return { failed: row.failed, lastSentAt: row.last_sent_at ?? undefined };
      }),
    writeMessage: (message) => {
      connection
        .prepare(
          `INSERT INTO messages (channel, alert_id, alert, decided_at, state, attempts, refusals, is_uncertain, last_error, settled_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (channel, alert_id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
             refusals = excluded.refusals, is_uncertain = excluded.is_uncertain, last_error = excluded.last_error,
             settled_at = excluded.settled_at
           WHERE excluded.attempts > 0 OR excluded.state <> 'pending'`,
        )
        .run(...toRow(message));
    },
  };
}

function toRow({ channel, alert, state, attempts, refusals, isUncertain, ...rest }: StoredMessage): (string | number | null)[] {
  const { lastError, settledAt } = rest;
  const key = [channel, alert.id, JSON.stringify(alert), Date.parse(alert.decidedAt)];
  return [...key, state, attempts, refusals, isUncertain ? 1 : 0, lastError ?? null, settledAt ?? null];
}

/** A message as its row has it. */
export function toMessage(row: MessageRow): StoredMessage {
  return {
    channel: row.channel,
    alert: JSON.parse(row.alert) as Alert,
    state: row.state,
    attempts: row.attempts,
    refusals: row.refusals,
    isUncertain: row.is_uncertain === 1,
    lastError: row.last_error ?? undefined,
    settledAt: row.settled_at ?? undefined,
  };
}
