import type { Client } from 'pg';
import { BusyError } from '#lib/errors.ts';
import { BackupFailedError, BackupRefusedError } from '../errors.ts';
import type { Manifest } from '../set/manifest.ts';
import { listTables } from './row-hash.ts';

/** Two numbers that no other advisory lock of the project uses: "bkup", and 1 for taking. */
const takingKey = [0x62_6b_75_70, 1] as const;

/**
 * Locks the database itself for taking a backup, whatever folder or host it goes to. The lock ends with the session.
 * @throws {BusyError} at once, naming the session that holds it.
 */
export async function lockDatabase(client: Client): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS locked', [...takingKey]);
  if (rows[0]?.locked) return;
  const holder = await client.query<{ text: string }>(
    `SELECT format('process %s of %s from %s, since %s', a.pid, a.application_name, coalesce(host(a.client_addr), 'a local socket'),
                   to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS text
     FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.classid = $1::int8::oid AND l.objid = $2::int8::oid AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [...takingKey],
  );
  throw new BusyError(
    `this database is being backed up already (server ${holder.rows[0]?.text ?? 'session has just ended'}); try again later`,
  );
}

/** @throws {BackupRefusedError} `standby`, or `table-not-readable` naming the first such table. */
export async function requireReadableDatabase(client: Client): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
  if (rows[0]?.standby) throw new BackupRefusedError('standby', 'the server is a standby in recovery; back up its primary');
  const closed = await client.query<{ name: string; role: string; count: number }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, current_user AS role, count(*) OVER ()::int AS count
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND (NOT has_schema_privilege(n.oid, 'USAGE')
         OR (c.relkind = 'S' AND NOT has_sequence_privilege(c.oid, 'SELECT'))
         OR (c.relkind <> 'S' AND (NOT has_table_privilege(c.oid, 'SELECT') OR row_security_active(c.oid))))
     ORDER BY 1 LIMIT 1`,
  );
  const first = closed.rows[0];
  if (!first) return;
  const more = first.count > 1 ? ` and ${first.count - 1} more` : '';
  throw new BackupRefusedError(
    'table-not-readable',
    `role "${first.role}" cannot read all of ${first.name}${more}; grant it pg_read_all_data (and BYPASSRLS under row security)`,
  );
}

type DatabaseFacts = Pick<Manifest, 'database' | 'roles' | 'databaseBytes'> & {
  /** True when the role may read password hashes. */
  readonly isSuperuser: boolean;
};

export async function readDatabaseFacts(client: Client): Promise<DatabaseFacts> {
  const { rows } = await client.query<{ name: string; bytes: string; is_superuser: boolean }>(
    `SELECT d.datname AS name, pg_database_size(d.oid)::text AS bytes, r.rolsuper AS is_superuser
     FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`,
  );
  const row = rows[0];
  if (!row) throw new BackupFailedError('the database does not describe itself');
  return { database: row.name, roles: await readRoles(client), databaseBytes: Number(row.bytes), isSuperuser: row.is_superuser };
}

/**
 * Roles that the database's objects depend on, by ownership or grant; system roles are on every server. The role made by
 * initdb (oid 10) is in no dependency record, so it is looked for by what it owns.
 */
async function readRoles(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT r.rolname AS name FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
     WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype IN ('o', 'a', 'r')
       AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND r.rolname !~ '^pg_'
     UNION
     SELECT rolname FROM pg_roles WHERE oid = 10 AND EXISTS (SELECT FROM pg_class WHERE relowner = 10 AND oid >= 16384)
     ORDER BY 1`,
  );
  return rows.map((row) => row.name);
}

type Snapshot = {
  /** Name by which pg_dump reads the very same state. */
  readonly name: string;
  readonly walPosition: string;
};

/**
 * Begins the transaction that both the dump and the fingerprint read. All tables are locked against DDL first, as
 * pg_dump does: TRUNCATE and ALTER TABLE do not respect snapshots, and one in between would make the two differ.
 */
export async function beginSnapshot(client: Client): Promise<Snapshot> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const tables = await tableNames(client);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    if (tables.length > 0) await client.query(`LOCK TABLE ${tables.map((name) => `ONLY ${name}`).join(', ')} IN ACCESS SHARE MODE`);
    const { rows } = await client.query<{ name: string; wal: string }>(
      'SELECT pg_export_snapshot() AS name, pg_current_wal_lsn()::text AS wal',
    );
    // A table made since the first look would not be locked; begin again, and then it is.
    const isComplete = (await tableNames(client)).join() === tables.join();
    if (rows[0] && isComplete) return { name: rows[0].name, walPosition: rows[0].wal };
    await client.query('ROLLBACK');
  }
  throw new BackupFailedError('tables keep being created and dropped; take the backup when the migration has ended');
}

const tableNames = async (client: Client): Promise<string[]> => (await listTables(client)).map(({ name }) => name);
