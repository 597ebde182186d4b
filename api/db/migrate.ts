import type { Knex } from 'knex';
import { Pool } from 'pg';
import { UsageError } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { clientOptions, explainConnectionError } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { createKnex } from './tx.ts';
import { applyMigration, completeRecords, queryOn, revertMigration, type StepOptions } from './migrate-step.ts';
import { hasOldRecords, MigrationMismatchError, readApplied, verifyApplied } from './migration-record.ts';
import { migrations as allMigrations, type Migration } from './migrations/index.ts';

export type MigrateOptions = {
  readonly logger?: Logger;
  /** Default: every migration of this version. */
  readonly migrations?: readonly Migration[];
  /** How long to wait for another migrator, in ms; default 60 s. */
  readonly lockWaitMs?: number;
};

export type MigrationStatus = {
  /** Name of the newest applied migration; undefined on an empty database. */
  readonly current: string | undefined;
  readonly applied: readonly { readonly name: string; readonly appliedAt: Date }[];
  readonly pending: readonly string[];
};

/**
 * Applies every pending migration, each in a transaction of its own with the note that it was applied. Migrators that
 * run at the same time take turns. Names what this call applied, oldest first.
 * @throws {MigrationMismatchError} having changed nothing
 * @throws {BusyError} when another migrator holds the lock for longer than `lockWaitMs`
 */
export async function migrateUp(settings: PostgresSettings, options: MigrateOptions = {}): Promise<{ applied: string[] }> {
  return withKnex(settings, async (knex) => ({ applied: await applyAll(knex, options, await pendingMigrations(knex, options)) }));
}

/** Takes back the newest `count` migrations, newest first; fewer when there are fewer. Throws as `migrateUp` does. */
export async function migrateDown(
  settings: PostgresSettings,
  count: number,
  options: MigrateOptions = {},
): Promise<{ reverted: string[] }> {
  return withKnex(settings, async (knex) => {
    const applied = await revertibleMigrations(knex, options);
    return { reverted: await revertAll(knex, options, count === 0 ? [] : applied.slice(-count)) };
  });
}

/**
 * Brings the schema to `version`, up or down: a migration's name, its number, or `none` for an empty schema.
 * @throws {UsageError} for a version that does not exist; otherwise as `migrateUp`
 */
export async function migrateTo(
  settings: PostgresSettings,
  version: string,
  options: MigrateOptions = {},
): Promise<{ applied: string[]; reverted: string[] }> {
  const known = options.migrations ?? allMigrations;
  const target = version === 'none' ? -1 : known.findIndex(({ name }) => name === version || name.split('_')[0] === version);
  if (target === -1 && version !== 'none') {
    throw new UsageError(`no migration "${version}"; known: none, ${known.map(({ name }) => name).join(', ')}`);
  }
  return withKnex(settings, async (knex) => {
    const applied = await revertibleMigrations(knex, options);
    const reverted = await revertAll(
      knex,
      options,
      applied.filter((migration) => known.indexOf(migration) > target),
    );
    const pending = await pendingMigrations(knex, options);
    return {
      reverted,
      applied: await applyAll(
        knex,
        options,
        pending.filter((migration) => known.indexOf(migration) <= target),
      ),
    };
  });
}

/** What is applied and what is not; changes nothing. */
export async function migrationStatus(settings: PostgresSettings, options: MigrateOptions = {}): Promise<MigrationStatus> {
  return withKnex(settings, async (knex) => {
    const applied = await readApplied(queryOn(knex));
    const names = new Set(applied.map(({ name }) => name));
    const pending = (options.migrations ?? allMigrations).filter(({ name }) => !names.has(name));
    return {
      current: applied.at(-1)?.name,
      applied: applied.map(({ name, appliedAt }) => ({ name, appliedAt })),
      pending: pending.map(({ name }) => name),
    };
  });
}

async function withKnex<T>(settings: PostgresSettings, work: (knex: Knex) => Promise<T>): Promise<T> {
  const pool = new Pool({ ...clientOptions(settings, 'atalaya-migrate'), max: 1, options: '-c TimeZone=UTC' });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  try {
    return await work(createKnex(pool));
  } catch (err) {
    throw explainConnectionError(err, settings);
  } finally {
    await pool.end();
  }
}

/** Those of this version; a newer one may have applied others since. */
async function appliedMigrations(knex: Knex, options: MigrateOptions): Promise<Migration[]> {
  const known = options.migrations ?? allMigrations;
  const applied = await readApplied(queryOn(knex));
  await verifyApplied(applied, known);
  if (hasOldRecords(applied, known)) await completeRecords(knex, stepOptions(options));
  return applied.flatMap(({ name }) => known.filter((migration) => migration.name === name));
}

/** As `appliedMigrations`, where the newest are to be taken back. @throws {MigrationMismatchError} when others lie above them */
async function revertibleMigrations(knex: Knex, options: MigrateOptions): Promise<Migration[]> {
  const revertible = await appliedMigrations(knex, options);
  const newest = (await readApplied(queryOn(knex))).at(-1);
  if (newest && newest.name !== revertible.at(-1)?.name) {
    throw new MigrationMismatchError(`the newest migration, ${newest.name}, is not of this version; take it back with the newer one`);
  }
  return revertible;
}

async function pendingMigrations(knex: Knex, options: MigrateOptions): Promise<Migration[]> {
  const applied = await appliedMigrations(knex, options);
  return (options.migrations ?? allMigrations).filter((migration) => !applied.includes(migration));
}

async function applyAll(knex: Knex, options: MigrateOptions, pending: readonly Migration[]): Promise<string[]> {
  const done: string[] = [];
  for (const migration of pending) {
    if (!(await applyMigration(knex, migration, stepOptions(options)))) continue;
    options.logger?.info({ migration: migration.name }, 'migration applied');
    done.push(migration.name);
  }
  return done;
}

async function revertAll(knex: Knex, options: MigrateOptions, applied: readonly Migration[]): Promise<string[]> {
  const done: string[] = [];
  for (const migration of applied.toReversed()) {
    if (!(await revertMigration(knex, migration, stepOptions(options)))) continue;
    options.logger?.info({ migration: migration.name }, 'migration taken back');
    done.push(migration.name);
  }
  return done;
}

const stepOptions = (options: MigrateOptions): StepOptions => ({
  migrations: options.migrations ?? allMigrations,
  lockWaitMs: options.lockWaitMs ?? 60_000,
});
