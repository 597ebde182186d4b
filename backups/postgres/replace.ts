import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { sqlStateOf } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { compactStamp } from '#lib/show.ts';
import { BackupRefusedError } from '../errors.ts';
import { isMissingDatabase, withSession, type Session } from './connection.ts';
import { countRelations } from './fingerprint.ts';

/** `filled`: it holds relations of users, which a restore would take the place of. */
export type TargetState = 'absent' | 'empty' | 'filled';

/** @throws {BackupRefusedError} `target-not-empty`, unless it may be replaced. */
export async function inspectTarget(target: PostgresSettings, mayReplace: boolean): Promise<TargetState> {
  const count = await countRelationsOf(target);
  if (count === undefined) return 'absent';
  if (count === 0) return 'empty';
  if (mayReplace) return 'filled';
  throw new BackupRefusedError(
    'target-not-empty',
    `database "${target.POSTGRES_DB}" is not empty (${count} relations); choose another --target, or replace it after a safety backup: --swap, or --force to end the sessions there too`,
  );
}

/** Undefined when there is no such database. */
async function countRelationsOf(database: PostgresSettings): Promise<number | undefined> {
  try {
    return await withSession(database, undefined, ({ client }) => countRelations(client));
  } catch (err) {
    if (isMissingDatabase(err)) return undefined;
    throw err;
  }
}

/** The name a replaced database is kept under. Names longer than 63 bytes would be cut by the server. */
export const nameOfOld = (target: string, now: Date): string => `${target.slice(0, 40)}_old_${compactStamp(now).toLowerCase()}`;

/**
 * Drops a replaced database that was empty and still is; one that was filled meanwhile stays.
 * @returns whether it was kept
 */
export async function keepOrDrop(server: Session, was: TargetState, old: string): Promise<boolean> {
  if (was !== 'empty' || (await countRelationsOf({ ...server.settings, POSTGRES_DB: old })) !== 0) return true;
  await server.client.query(`DROP DATABASE ${server.client.escapeIdentifier(old)}`);
  return false;
}

type Replacement = {
  /** The new database, already filled. */
  readonly from: string;
  /** The name it takes over; a database of that name exists. */
  readonly target: string;
  /** The name the present one is given. */
  readonly old: string;
  /** Ends the sessions of the present one; without it sessions are a reason to refuse. */
  readonly endSessions: boolean;
};

/**
 * Puts a database in the place of another in one step: clients find the old one or the new one. The old one is kept
 * under `old`.
 * @param client connected to neither of the two
 * @throws {BackupRefusedError} `target-in-use`, having changed nothing.
 */
export async function replaceDatabase(client: Client, replacement: Replacement): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const users = await listSessions(client, replacement.target);
    if (users.length > 0 && (!replacement.endSessions || attempt > 10)) throw inUse(replacement.target, users);
    if (await trySwap(client, replacement)) return;
    if (attempt > 10) throw inUse(replacement.target, users);
    await sleep(50);
  }
}

/**
 * One transaction, so that a crash leaves the old names. RENAME locks the database against new sessions and then waits
 * up to 5 s for those just ended.
 */
async function trySwap(client: Client, { from, target, old, endSessions }: Replacement): Promise<boolean> {
  const name = (text: string): string => client.escapeIdentifier(text);
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${client.escapeLiteral(target)} AND ${isClient};`;
  try {
    await client.query(
      `BEGIN; ${endSessions ? end : ''} ALTER DATABASE ${name(target)} RENAME TO ${name(old)};
       ALTER DATABASE ${name(from)} RENAME TO ${name(target)}; COMMIT`,
    );
    return true;
  } catch (err) {
    await client.query('ROLLBACK');
    if (sqlStateOf(err) === objectInUse) return false;
    throw err;
  }
}

const objectInUse = '55006';
const isClient = `backend_type = 'client backend'`;

function inUse(target: string, users: readonly string[]): BackupRefusedError {
  const who = [...new Set(users)].join(', ');
  return new BackupRefusedError(
    'target-in-use',
    `database "${target}" has ${users.length} open sessions (${who}); end them first, or let --force do it`,
  );
}

/** Application names of the sessions in a database. */
async function listSessions(client: Client, database: string): Promise<string[]> {
  const { rows } = await client.query<{ application: string }>(
    `SELECT coalesce(nullif(application_name, ''), 'unnamed') AS application FROM pg_stat_activity WHERE datname = $1 AND ${isClient}`,
    [database],
  );
  return rows.map((row) => row.application);
}
