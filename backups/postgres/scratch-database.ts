import { createHash, randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { sqlStateOf } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { openSession, type Session } from './connection.ts';
import { BackupRefusedError } from '../errors.ts';
import type { DatabaseLocale } from '../set/manifest.ts';

export type ScratchDatabase = {
  readonly settings: PostgresSettings;
  readonly name: string;
  /** False when the server does not offer the locale asked for, and C took its place. */
  readonly hasLocale: boolean;
};

export type ScratchServer = {
  /** Open session in the maintenance database, which `settings` lead to; not bound to a caller's signal. */
  readonly session: Session;
  readonly settings: PostgresSettings;
};

/**
 * Gives `work` an empty database of its own and drops it whatever happens, unless `work` has renamed it. Databases that
 * killed runs have left are dropped first.
 * @throws {BackupRefusedError} `may-not-create-databases`.
 */
export async function withScratchDatabase<T>(
  server: ScratchServer,
  locale: DatabaseLocale,
  work: (scratch: ScratchDatabase) => Promise<T>,
): Promise<T> {
  const { client } = server.session;
  const prefix = scratchPrefix(server.settings.POSTGRES_DB);
  await announceUse(client, prefix);
  const name = `${prefix}${randomBytes(4).toString('hex')}`;
  try {
    const hasLocale = await createDatabase(client, name, locale);
    return await work({ name, hasLocale, settings: { ...server.settings, POSTGRES_DB: name } });
  } finally {
    await dropAlways(server, name);
  }
}

/** Advisory locks belong to one database, so the names of leftovers are kept apart by the database that guards them. */
function scratchPrefix(maintenanceDatabase: string): string {
  return `atalaya_scratch_${createHash('sha256').update(maintenanceDatabase).digest('hex').slice(0, 8)}_`;
}

/** "bkup" and 2: held shared by whoever uses a scratch database, exclusively by who clears leftovers away. */
const useKey = [0x62_6b_75_70, 2];

async function announceUse(client: Client, prefix: string): Promise<void> {
  const { rows } = await client.query<{ alone: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS alone', useKey);
  if (rows[0]?.alone) await dropLeftovers(client, prefix);
  await client.query('SELECT pg_advisory_lock_shared($1, $2)', useKey);
  if (rows[0]?.alone) await client.query('SELECT pg_advisory_unlock($1, $2)', useKey);
}

async function dropLeftovers(client: Client, prefix: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1) AND pg_has_role(datdba, 'USAGE')`,
    [prefix],
  );
  for (const { name } of rows) await dropDatabase(client, name);
}

/** @returns whether the locale asked for could be had. */
async function createDatabase(client: Client, name: string, locale: DatabaseLocale): Promise<boolean> {
  const head = `CREATE DATABASE ${client.escapeIdentifier(name)} TEMPLATE template0`;
  try {
    await client.query(`${head} ${localeClause(client, locale)}`);
    return true;
  } catch (err) {
    const state = sqlStateOf(err);
    if (state === '42501') {
      throw new BackupRefusedError(
        'may-not-create-databases',
        'the role may not create databases, so nothing can be restored; as a superuser: ALTER ROLE … CREATEDB',
        { cause: err },
      );
    }
    if (!localeFaults.has(state ?? '')) throw err;
    const encoding = client.escapeLiteral(locale.encoding);
    await client.query(`${head} ENCODING ${encoding} LC_COLLATE 'C' LC_CTYPE 'C'`);
    return false;
  }
}

/** wrong_object_type: unknown libc locale · invalid_parameter_value: unknown ICU locale · undefined_object · not supported. */
const localeFaults: ReadonlySet<string> = new Set(['42809', '22023', '42704', '0A000']);

function localeClause(client: Client, locale: DatabaseLocale): string {
  const { encoding, collate, ctype, provider, name } = locale;
  const libc = `ENCODING ${client.escapeLiteral(encoding)} LC_COLLATE ${client.escapeLiteral(collate)} LC_CTYPE ${client.escapeLiteral(ctype)}`;
  if (provider === 'libc' || name === undefined) return libc;
  return `${libc} LOCALE_PROVIDER ${provider} ${provider === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE'} ${client.escapeLiteral(name)}`;
}

async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
}

async function dropAlways(server: ScratchServer, name: string): Promise<void> {
  try {
    await dropDatabase(server.session.client, name);
  } catch {
    // The session may have been lost with a server that is back by now.
    const session = await openSession(server.settings);
    try {
      await dropDatabase(session.client, name);
    } finally {
      await session.close();
    }
  }
}
