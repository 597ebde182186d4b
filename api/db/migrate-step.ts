import type { Knex } from 'knex';
import { BusyError } from '#lib/errors.ts';
import { SQLSTATE, sqlStateOf } from '#lib/postgres.ts';
import { retry } from '#lib/retry.ts';
import { completeOldRecords, forgetMigration, migrationsTable, readApplied, recordMigration, type Query } from './migration-record.ts';
import type { Migration } from './migrations/index.ts';

export type StepOptions = {
  readonly migrations: readonly Migration[];
  /** How long to wait for another migrator, in ms. */
  readonly lockWaitMs: number;
};

/**
 * Applies one migration, with the note of it, in a transaction.
 * @returns false when another migrator applied it first, while this one waited for its turn.
 * @throws {BusyError} when the other's turn lasts longer than `lockWaitMs`
 */
export function applyMigration(knex: Knex, migration: Migration, options: StepOptions): Promise<boolean> {
  return takeTurn(knex, options, async (trx) => {
    if (await isApplied(trx, migration)) return false;
    await trx.migrate.up({ ...migratorConfig(options.migrations), name: migration.name });
    await recordMigration(queryOn(trx), migration);
    return true;
  });
}

/** Takes one migration back; the same promises as `applyMigration`. */
export function revertMigration(knex: Knex, migration: Migration, options: StepOptions): Promise<boolean> {
  return takeTurn(knex, options, async (trx) => {
    if (!(await isApplied(trx, migration))) return false;
    await trx.migrate.down({ ...migratorConfig(options.migrations), name: migration.name });
    await forgetMigration(queryOn(trx), migration);
    return true;
  });
}

/** Brings the records of older versions up to date, in its turn. */
export async function completeRecords(knex: Knex, options: StepOptions): Promise<void> {
  await takeTurn(knex, options, async (trx) => {
    await completeOldRecords(queryOn(trx), options.migrations);
    return true;
  });
}

export const queryOn =
  (knex: Knex): Query =>
  async (sql, values = []) =>
    (await knex.raw<{ rows: Record<string, unknown>[] }>(sql, values as Knex.RawBinding[])).rows;

async function isApplied(trx: Knex, migration: Migration): Promise<boolean> {
  return (await readApplied(queryOn(trx))).some(({ name }) => name === migration.name);
}

/** Any number on which no other program takes an advisory lock. */
const advisoryLock = 7_283_164_001;
/** A change of the schema that waits behind a long query makes every later query wait behind itself: give up, try again. */
const schemaLockTimeoutMs = 5_000;

function takeTurn(knex: Knex, options: StepOptions, work: (trx: Knex.Transaction) => Promise<boolean>): Promise<boolean> {
  return retry(
    () =>
      knex.transaction(async (trx) => {
        await waitForTurn(trx, options.lockWaitMs);
        await trx.raw(`SET LOCAL lock_timeout = ${schemaLockTimeoutMs}`);
        return work(trx);
      }),
    { attempts: 5, firstDelayMs: 500, maxDelayMs: 4_000, isRetryable: isLockTimeout },
  );
}

async function waitForTurn(trx: Knex.Transaction, lockWaitMs: number): Promise<void> {
  await trx.raw(`SET LOCAL lock_timeout = ${lockWaitMs}`);
  try {
    await trx.raw('SELECT pg_advisory_xact_lock(?)', [advisoryLock]);
  } catch (err) {
    if (!isLockTimeout(err)) throw err;
    throw new BusyError(`another migration has been running for more than ${lockWaitMs / 1_000} s; try again later`, { cause: err });
  }
}

const isLockTimeout = (err: unknown): boolean => sqlStateOf(err) === SQLSTATE.lockNotAvailable;

function migratorConfig(migrations: readonly Migration[]): Knex.MigratorConfig {
  return {
    tableName: migrationsTable,
    // A newer version may have applied some that this one does not know.
    disableMigrationsListValidation: true,
    migrationSource: {
      getMigrations: async () => [...migrations],
      getMigrationName: (migration: Migration) => migration.name,
      getMigration: async (migration: Migration) => migration,
    },
  };
}
