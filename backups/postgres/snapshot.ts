import type { Client } from 'pg';
import { BackupFailedError } from '../errors.ts';
import { listTables } from './fingerprint.ts';
import type { Manifest } from '../set/manifest.ts';

export type DatabaseFacts = Pick<Manifest, 'database' | 'locale' | 'roles' | 'databaseBytes'> & {
  /** True when the role may read password hashes. */
  readonly isSuperuser: boolean;
};

export async function readDatabaseFacts(client: Client): Promise<DatabaseFacts> {
  const { rows } = await client.query<DatabaseRow>(
    `SELECT d.datname AS name, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate, d.datctype AS ctype,
            CASE to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS provider,
            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
            pg_database_size(d.oid)::text AS bytes, r.rolsuper AS is_superuser
     FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`,
  );
  const row = rows[0];
  if (!row) throw new BackupFailedError('the database does not describe itself');
  const { encoding, collate, ctype, provider } = row;
  return {
    database: row.name,
    locale: { encoding, collate, ctype, provider, ...(row.locale === null ? {} : { name: row.locale }) },
    roles: await readRoles(client),
    databaseBytes: Number(row.bytes),
    isSuperuser: row.is_superuser,
  };
}

type DatabaseRow = Pick<Manifest['locale'], 'encoding' | 'collate' | 'ctype' | 'provider'> & {
  readonly name: string;
  /** Column names of the catalogue differ by version: daticulocale in 15 and 16, datlocale from 17. */
  readonly locale: string | null;
  readonly bytes: string;
  readonly is_superuser: boolean;
};

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

export type Snapshot = {
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
    const tables = await listTables(client);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    if (tables.length > 0) await client.query(`LOCK TABLE ${tables.map((name) => `ONLY ${name}`).join(', ')} IN ACCESS SHARE MODE`);
    const { rows } = await client.query<{ name: string; wal: string }>(
      'SELECT pg_export_snapshot() AS name, pg_current_wal_lsn()::text AS wal',
    );
    // A table made since the first look would not be locked; begin again, and then it is.
    const isComplete = (await listTables(client)).join() === tables.join();
    if (rows[0] && isComplete) return { name: rows[0].name, walPosition: rows[0].wal };
    await client.query('ROLLBACK');
  }
  throw new BackupFailedError('tables keep being created and dropped; take the backup when the migration has ended');
}
