import { Client } from 'pg';
import { ConfigError } from '#lib/errors.ts';
import { clientOptions, explainConnectionError, failureOf } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { applicationName } from '../deps.ts';

/** A direct connection for long work: no time limit of the role's applies, and a caller that dies ends it within seconds. */
export type Session = {
  readonly client: Client;
  readonly settings: PostgresSettings;
  /** As in 15.18. */
  readonly serverVersion: string;
  readonly serverMajor: number;
  /** Rejects once the connection is lost, and after `close`; for work that does not query the session meanwhile. */
  readonly lost: Promise<never>;
  readonly close: () => Promise<void>;
};

/**
 * Connects, never through a pooler: locks and snapshots belong to the session.
 * @param signal ends the session, and with it whatever query runs
 * @throws {UnreachableError} when nothing answers · {ConfigError} when role, password or database are refused.
 */
export async function openSession(settings: PostgresSettings, signal?: AbortSignal): Promise<Session> {
  signal?.throwIfAborted();
  const client = new Client({ ...clientOptions(settings, applicationName), keepAlive: true });
  const lost = lossOf(client);
  const onAbort = (): void => void client.end().catch(() => {});
  signal?.addEventListener('abort', onAbort, { once: true });
  const close = async (): Promise<void> => {
    signal?.removeEventListener('abort', onAbort);
    await client.end().catch(() => {});
  };
  try {
    await client.connect();
    return { client, settings, close, lost, ...(await prepareForLongWork(client)) };
  } catch (err) {
    await close();
    throw explainConnectionError(err, settings);
  }
}

function lossOf(client: Client): Promise<never> {
  const lost = new Promise<never>((_, reject) => {
    client.on('error', reject);
    client.once('end', () => reject(new Error('Connection terminated')));
  });
  // Whoever queries the session learns of it there.
  lost.catch(() => {});
  return lost;
}

async function prepareForLongWork(client: Client): Promise<Pick<Session, 'serverVersion' | 'serverMajor'>> {
  await client.query(
    `SET statement_timeout = 0; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = 0; SET idle_session_timeout = 0;
     SET client_connection_check_interval = '2s'; SET client_min_messages = warning; SET default_transaction_read_only = off`,
  );
  const { rows } = await client.query<{ number: string; version: string }>(
    `SELECT current_setting('server_version_num') AS number, split_part(current_setting('server_version'), ' ', 1) AS version`,
  );
  return { serverVersion: rows[0]?.version ?? '', serverMajor: Math.trunc(Number(rows[0]?.number) / 10_000) };
}

/** Gives `work` a session of its own, which ends with it. */
export async function withSession<T>(
  settings: PostgresSettings,
  signal: AbortSignal | undefined,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(settings, signal);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** True for the refusal that says the database itself is missing. */
export function isMissingDatabase(err: unknown): boolean {
  return err instanceof ConfigError && failureOf(err.cause)?.kind === 'no-database';
}
