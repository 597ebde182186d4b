import { createHash, randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { sqlStateOf } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { BackupRefusedError } from '../errors.ts';
import type { DatabaseLocale } from '../set/manifest.ts';
import { withSession, type Session } from './connection.ts';

export type ScratchDatabase = {
  readonly settings: PostgresSettings;
  readonly name: string;
  /** False when the server does not offer the locale asked for, and C took its place. */
  readonly hasLocale: boolean;
};

/**
 * Gives `work` an empty database of its own and drops it whatever happens, unless `work` has renamed it. Databases that
 * killed runs have left are dropped first.
 * @param server a session outside the database, not bound to a caller's signal
 * @param options.origin stands in the name as a hash: the database that the content is of
 * @throws {BackupRefusedError} `may-not-create-databases`.
 */
export async function withScratchDatabase<T>(
  server: Session,
  options: { readonly origin: string; readonly locale: DatabaseLocale },
  work: (scratch: ScratchDatabase) => Promise<T>,
): Promise<T> {
  await sweepScratch(server.client);
  const name = `${scratchPrefix}${hashOf(options.origin)}_${randomBytes(4).toString('hex')}`;
  await server.client.query(`SELECT pg_advisory_lock($1, hashtext($2))`, [useKey, name]);
  try {
    const hasLocale = await createDatabase(server, name, options.locale);
    return await work({ name, hasLocale, settings: { ...server.settings, POSTGRES_DB: name } });
  } finally {
    await dropAlways(server, name);
  }
}

const scratchPrefix = 'atalaya_scratch_';

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** "bkup" upside down: with the hash of its name, the advisory lock of a scratch database in use. It ends with its run. */
const useKey = 0x70_75_6b_62;

/**
 * Drops the scratch databases of runs that live no more, and ends what their programs still do there. Advisory locks
 * belong to one database each, but all of them can be seen from any. Names are read before locks: a run locks the name
 * before it makes the database, so one that is not locked has nobody.
 */
export async function sweepScratch(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1) AND pg_has_role(datdba, 'USAGE')`,
    [scratchPrefix],
  );
  for (const { name } of rows) {
    const { rows: users } = await client.query(
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::int8::oid AND objid = (hashtext($2)::int8 & 4294967295)::oid`,
      [useKey, name],
    );
    // Another run may be dropping it too; what is left all the same, the next command finds.
    if (users.length === 0) await dropDatabase(client, name).catch(() => {});
  }
}

/** @returns whether the locale asked for could be had. */
async function createDatabase({ client, serverMajor }: Session, name: string, locale: DatabaseLocale): Promise<boolean> {
  const head = `CREATE DATABASE ${client.escapeIdentifier(name)} TEMPLATE template0`;
  try {
    await client.query(`${head} ${localeClause(client, serverMajor, locale)}`);
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
    const plain = { encoding: locale.encoding, collate: 'C', ctype: 'C', provider: 'libc' } as const;
    await client.query(`${head} ${localeClause(client, serverMajor, plain)}`);
    return false;
  }
}

/** wrong_object_type: unknown libc locale · invalid_parameter_value: unknown ICU locale · undefined_object · not supported. */
const localeFaults: ReadonlySet<string> = new Set(['42809', '22023', '42704', '0A000']);

/** The provider is always named, since the server's own may be another; servers before 15 know only libc, and no word for it. */
function localeClause(client: Client, serverMajor: number, { encoding, collate, ctype, provider, name }: DatabaseLocale): string {
  const literal = (text: string): string => client.escapeLiteral(text);
  const clause = `ENCODING ${literal(encoding)} LC_COLLATE ${literal(collate)} LC_CTYPE ${literal(ctype)}`;
  if (provider === 'libc' || name === undefined) return serverMajor < 15 ? clause : `${clause} LOCALE_PROVIDER libc`;
  return `${clause} LOCALE_PROVIDER ${provider} ${provider === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE'} ${literal(name)}`;
}

async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
}

async function dropAlways(server: Session, name: string): Promise<void> {
  try {
    await dropDatabase(server.client, name);
    await server.client.query('SELECT pg_advisory_unlock($1, hashtext($2))', [useKey, name]);
  } catch {
    // The session may have been lost with a server that is back by now.
    await withSession(server.settings, undefined, ({ client }) => dropDatabase(client, name));
  }
}
