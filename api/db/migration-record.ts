import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Knex } from 'knex';
import { AppError } from '#lib/errors.ts';
import type { Migration } from './migrations/index.ts';

/** What the database and the code say of the schema does not go together. */
export class MigrationMismatchError extends AppError {
  readonly code = 'MIGRATION_MISMATCH';
}

/** Table in which knex notes what has been applied. */
export const migrationsTable = 'schema_migrations';
const checksumsTable = 'schema_migration_checksums';

export type AppliedMigration = { readonly name: string; readonly appliedAt: Date; readonly sha256: string | null };

/** What has been applied, oldest first; nothing on a database without our tables. */
export async function readApplied(knex: Knex): Promise<AppliedMigration[]> {
  // Not to_regclass: it may answer from a cache that has not yet heard of a table another migrator just made.
  const { rows } = await knex.raw<{ rows: { exists: boolean }[] }>(
    'SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?) AS exists',
    [checksumsTable],
  );
  if (!rows[0]?.exists) return [];
  return knex(migrationsTable)
    .leftJoin(checksumsTable, `${checksumsTable}.name`, `${migrationsTable}.name`)
    .orderBy(`${migrationsTable}.id`)
    .select<AppliedMigration[]>({
      name: `${migrationsTable}.name`,
      appliedAt: `${migrationsTable}.migration_time`,
      sha256: `${checksumsTable}.sha256`,
    });
}

/** Notes the file a migration was applied from. Called in the transaction that applies it. */
export async function recordChecksum(trx: Knex, migration: Migration): Promise<void> {
  await trx.raw(`CREATE TABLE IF NOT EXISTS ${checksumsTable} (name text PRIMARY KEY, sha256 text NOT NULL)`);
  await trx(checksumsTable).insert({ name: migration.name, sha256: await checksumOf(migration) });
}

export async function forgetChecksum(trx: Knex, migration: Migration): Promise<void> {
  await trx(checksumsTable).where('name', migration.name).delete();
}

/**
 * Holds what has been applied against the code.
 * @throws {MigrationMismatchError} naming the first migration the code does not have, or whose file was edited since.
 */
export async function verifyApplied(applied: readonly AppliedMigration[], known: readonly Migration[]): Promise<void> {
  for (const { name, sha256 } of applied) {
    const migration = known.find((candidate) => candidate.name === name);
    if (!migration) {
      throw new MigrationMismatchError(`the database has migration ${name}, which this version does not know; run the newer version`);
    }
    if (sha256 !== (await checksumOf(migration))) {
      throw new MigrationMismatchError(
        `migration ${name} was edited after it had been applied; restore its file and add another migration instead`,
      );
    }
  }
}

/** SHA-256 of the migration's file, whatever line endings the checkout has. */
async function checksumOf(migration: Migration): Promise<string> {
  const text = await readFile(new URL(`./migrations/${migration.name}.ts`, import.meta.url), 'utf8');
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}
