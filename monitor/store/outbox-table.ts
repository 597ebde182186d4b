import type { Alert } from '../alerts/alert.ts';
import type { Connection } from './database.ts';
import { guarded, inTransaction } from './database.ts';
import type { ChannelBacklog, Outbox, OutboxMessage } from './store.ts';

type MessageRow = { id: number; alert: string; attempts: number; is_under_way: number; next_attempt_at: number };

type BacklogRow = {
  pending: number;
  oldest_pending_at: number | null;
  failed: number;
  last_sent_at: number | null;
  last_error: string | null;
};

/** The queue of messages over its table. */
export function outboxTable(connection: Connection): Outbox {
  const next = connection.prepare(
    `SELECT id, alert, attempts, is_under_way, next_attempt_at FROM outbox
     WHERE channel = ? AND sent_at IS NULL AND failed_at IS NULL ORDER BY id LIMIT 1`,
  );
  const begin = connection.prepare('UPDATE outbox SET attempts = attempts + 1, is_under_way = 1 WHERE id = ?');
  const sent = connection.prepare('UPDATE outbox SET sent_at = ?, is_under_way = 0 WHERE id = ?');
  const retry = connection.prepare('UPDATE outbox SET last_error = ?, next_attempt_at = ?, is_under_way = 0 WHERE id = ?');
  const failed = connection.prepare('UPDATE outbox SET last_error = ?, failed_at = ?, is_under_way = 0 WHERE id = ?');
  const requeue = connection.prepare(
    'UPDATE outbox SET failed_at = NULL, next_attempt_at = 0 WHERE failed_at IS NOT NULL AND decided_at >= ?',
  );
  return {
    next: (channel) => guarded('cannot be read', () => toMessage(next.get(channel) as MessageRow | undefined)),
    beginAttempt: (id) => inTransaction(connection, () => void begin.run(id)),
    markSent: (id, at) => inTransaction(connection, () => void sent.run(at, id)),
    markRetry: (id, error, nextAttemptAt) => inTransaction(connection, () => void retry.run(error, nextAttemptAt, id)),
    markFailed: (id, error, at) => inTransaction(connection, () => void failed.run(error, at, id)),
    requeueFailed: (since) => inTransaction(connection, () => requeue.run(since).changes),
    backlog: (channel, failedSince) => guarded('cannot be read', () => readBacklog(connection, channel, failedSince)),
  };
}

function toMessage(row: MessageRow | undefined): OutboxMessage | undefined {
  return (
    row && {
      id: row.id,
      alert: JSON.parse(row.alert) as Alert,
      attempts: row.attempts,
      wasCutOff: row.is_under_way === 1,
      nextAttemptAt: row.next_attempt_at,
    }
  );
}

function readBacklog(connection: Connection, channel: string, failedSince: number): ChannelBacklog {
  const row = connection
    .prepare(
      `SELECT count(*) FILTER (WHERE sent_at IS NULL AND failed_at IS NULL) AS pending,
         min(decided_at) FILTER (WHERE sent_at IS NULL AND failed_at IS NULL) AS oldest_pending_at,
         count(*) FILTER (WHERE failed_at >= ?) AS failed,
         max(sent_at) AS last_sent_at,
         (SELECT last_error FROM outbox WHERE channel = ? AND sent_at IS NULL AND last_error IS NOT NULL ORDER BY id LIMIT 1) AS last_error
       FROM outbox WHERE channel = ?`,
    )
    .get(failedSince, channel, channel) as BacklogRow;
  return {
    channel,
    pending: row.pending,
    oldestPendingAt: row.oldest_pending_at ?? undefined,
    failed: row.failed,
    lastSentAt: row.last_sent_at ?? undefined,
    lastError: row.last_error ?? undefined,
  };
}
