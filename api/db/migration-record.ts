import { AppError, ConfigError } from '#lib/errors.ts';
import { checksumOf } from './migration-checksum.ts';
import type { Migration } from './migrations/index.ts';

/** What the database and the code say of the schema does not go together. */
export class MigrationMismatchError extends AppError {
  readonly code = 'MIGRATION_MISMATCH';
}

/** Table in which knex notes what has been applied. */
export const migrationsTable = 'schema_migrations';
/** What this project notes beside it. `sha256` is for its first versions, which went by the checksum of the file. */
const recordTable = 'schema_migration_checksums';

export type AppliedMigration = {
  readonly name: string;
  readonly appliedAt: Date;
  /** Of its SQL; null when a version applied it that noted the checksum of the file instead. */
  readonly checksum: string | null;
  /** As `Migration` has it; null likewise. */
  readonly isExpansion: boolean | null;
};

/** Runs one statement, in which `?` stands for a value, and returns its rows. */
export type Query = (sql: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;

/** What has been applied, oldest first; nothing on a database without our tables. */
export async function readApplied(query: Query): Promise<AppliedMigration[]> {
  // Not to_regclass: it may answer from a cache that has not yet heard of a table another migrator just made.
  const [found] = await query(
    `SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = '${recordTable}') AS exists`,
  );
  if (!found?.['exists']) return [];
  // By to_jsonb, since the first versions made the table without these columns.
  const rows = await query(
    `SELECT m.name, m.migration_time AS "appliedAt", to_jsonb(r) ->> 'sql_sha256' AS checksum,
       (to_jsonb(r) ->> 'is_expansion')::boolean AS "isExpansion"
     FROM ${migrationsTable} m LEFT JOIN ${recordTable} r ON r.name = m.name ORDER BY m.id`,
  );
  return rows as AppliedMigration[];
}

/** Notes what was applied, for the checks of this and of every other version. Called in the transaction that applies it. */
export async function recordMigration(query: Query, migration: Migration): Promise<void> {
  await makeRecordTable(query);
  const checksum = await checksumOf(migration);
  await query(`INSERT INTO ${recordTable} (name, sha256, sql_sha256, is_expansion) VALUES (?, ?, ?, ?)`, [
    migration.name,
    checksum,
    checksum,
    migration.isExpansion,
  ]);
}

export async function forgetMigration(query: Query, migration: Migration): Promise<void> {
  await query(`DELETE FROM ${recordTable} WHERE name = ?`, [migration.name]);
}

/** Whether migrations were applied by a version whose checksums say nothing of the SQL. */
export const hasOldRecords = (applied: readonly AppliedMigration[], known: readonly Migration[]): boolean =>
  applied.some(({ name, checksum }) => checksum === null && known.some((migration) => migration.name === name));

/** Completes such records. The old checksums stay, so that such a version can still be put back. */
export async function completeOldRecords(query: Query, known: readonly Migration[]): Promise<void> {
  await makeRecordTable(query);
  for (const migration of known) {
    await query(`UPDATE ${recordTable} SET sql_sha256 = ?, is_expansion = ? WHERE name = ? AND sql_sha256 IS NULL`, [
      await checksumOf(migration),
      migration.isExpansion,
      migration.name,
    ]);
  }
}

async function makeRecordTable(query: Query): Promise<void> {
  await query(`CREATE TABLE IF NOT EXISTS ${recordTable} (name text PRIMARY KEY, sha256 text NOT NULL)`);
  await query(`ALTER TABLE ${recordTable} ADD COLUMN IF NOT EXISTS sql_sha256 text, ADD COLUMN IF NOT EXISTS is_expansion boolean`);
}

/**
 * Holds what has been applied against the code.
 * @throws {MigrationMismatchError} naming the first migration whose SQL is another than the one applied, or which this
 *   version neither knows nor works with
 */
export async function verifyApplied(applied: readonly AppliedMigration[], known: readonly Migration[]): Promise<void> {
  for (const { name, checksum } of applied) {
    const migration = known.find((candidate) => candidate.name === name);
    if (migration && checksum !== null && checksum !== (await checksumOf(migration))) {
      throw new MigrationMismatchError(
        `the SQL of migration ${name} was changed after it had been applied; restore it and add another migration instead`,
      );
    }
  }
  const problem = incompatibility(applied, known);
  if (problem !== undefined) throw new MigrationMismatchError(problem);
}

/**
 * Whether this version of the code works with the schema. One that is newer will do as long as it was only expanded.
 * @returns the migrations that are still to be applied
 * @throws {ConfigError} when the schema is newer and does not go with this version
 */
export function assertSchemaFits(applied: readonly AppliedMigration[], known: readonly Migration[]): string[] {
  const problem = incompatibility(applied, known);
  if (problem !== undefined) throw new ConfigError([problem]);
  return known.filter(({ name }) => !applied.some((one) => one.name === name)).map(({ name }) => name);
}

function incompatibility(applied: readonly AppliedMigration[], known: readonly Migration[]): string | undefined {
  const breaking = applied.find(({ name, isExpansion }) => isExpansion !== true && !known.some((migration) => migration.name === name));
  if (!breaking) return undefined;
  return (
    `the database has migration ${breaking.name}, with which this version does not work; ` +
    `run the newer version, or take the migration back with it: npm run migrate -- to ${known.at(-1)?.name ?? 'none'}`
  );
}
