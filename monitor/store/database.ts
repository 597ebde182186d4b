import { chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { AppError, messageOf } from '#lib/errors.ts';
import { compactStamp } from '#lib/show.ts';
import { schemaSteps } from './schema.ts';

/** Texts of the store's own statements: some 60. A text that is made anew each time, as no statement here is, would fill this. */
const mostKept = 100;

/** A connection that prepares each statement once, since that costs more than to run it. They end with the connection. */
export class Connection extends DatabaseSync {
  readonly #kept = new Map<string, StatementSync>();

  /** @returns the same statement for the same text, ready to run: `run`, `get` and `all` leave none of them half read */
  override prepare(sql: string): StatementSync {
    const kept = this.#kept.get(sql);
    if (kept) return kept;
    const made = super.prepare(sql);
    if (this.#kept.size >= mostKept) this.#kept.clear();
    this.#kept.set(sql, made);
    return made;
  }
}

export const storeFileName = 'monitor.db';

/** The monitor's own store cannot be read or written. A fault of the monitor, never evidence against a target. */
export class StoreError extends AppError {
  readonly code = 'MONITOR_STORE';
}

/** How long a statement waits for another process's lock. It blocks the event loop, so it is short. */
const busyTimeoutMs = 100;

/**
 * Opens the store's file and brings it to the present schema. WAL with synchronous=FULL: what was committed survives a
 * crash of the machine, not only of the process.
 * @throws {StoreError}
 */
export function openDatabase(file: string): Connection {
  return guarded('cannot be opened', () => {
    const connection = new Connection(file, { timeout: busyTimeoutMs });
    try {
      if (file !== ':memory:') chmodSync(file, 0o600);
      connection.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -256',
      );
      checkIntegrity(connection);
      migrate(connection);
      return connection;
    } catch (err) {
      connection.close();
      throw err;
    }
  });
}

/**
 * Opens a store to read it beside its daemon: nothing is written and nothing migrated.
 * @returns with `note` one line, when an older or newer version wrote it and not everything may be understood
 * @throws {StoreError}
 */
export function openForReading(file: string): { readonly connection: Connection; readonly note: string | undefined } {
  return guarded('cannot be read', () => {
    const connection = new Connection(file, { readOnly: true, timeout: busyTimeoutMs });
    const schema = schemaOf(connection);
    const kin = schema > schemaSteps.length ? 'a newer' : 'an older';
    const note = `the store was written by ${kin} version (schema ${schema}, here ${schemaSteps.length}); it is read as far as possible`;
    return { connection, note: schema === schemaSteps.length ? undefined : note };
  });
}

/**
 * As `openDatabase`, for the daemon: a file that is damaged is set aside and a new one begun, since a monitor that does
 * not start watches nothing.
 * @returns the name the damaged file now has, if there was one
 * @throws {StoreError} when the folder cannot be used
 */
export function openOrReplaceDatabase(dir: string, now: Date): { connection: Connection; setAside: string | undefined } {
  guarded(`needs the folder ${dir}`, () => {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    // Older versions left it open to all.
    chmodSync(dir, 0o700);
  });
  const file = join(dir, storeFileName);
  try {
    return { connection: openDatabase(file), setAside: undefined };
  } catch (err) {
    if (!isDamage(err)) throw err;
    const setAside = `${file}.damaged-${compactStamp(now)}`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, setAside + suffix);
    }
    return { connection: openDatabase(file), setAside };
  }
}

/** Runs `work` in one transaction: all of it is committed, or none. @throws {StoreError} */
export function inTransaction<T>(connection: Connection, work: () => T): T {
  return guarded('cannot be written', () => {
    connection.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      connection.exec('COMMIT');
      return result;
    } catch (err) {
      // Some failures, such as a full disk, have rolled back already.
      if (connection.isTransaction) connection.exec('ROLLBACK');
      throw err;
    }
  });
}

/** Turns whatever the driver throws into a StoreError that says what the store could not do. */
export function guarded<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (err) {
    if (err instanceof AppError) throw err;
    throw new StoreError(`the monitor's store ${what}: ${messageOf(err)}`, { cause: err });
  }
}

function migrate(connection: Connection): void {
  const applied = schemaOf(connection);
  if (applied > schemaSteps.length) {
    throw new StoreError(`the monitor's store was written by a newer version (schema ${applied}); run that version`);
  }
  for (const [index, step] of schemaSteps.entries()) {
    if (index < applied) continue;
    inTransaction(connection, () => {
      connection.exec(step);
      connection.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

const schemaOf = (connection: Connection): number =>
  (connection.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;

/** SQLite's own numbers. @see https://sqlite.org/rescode.html */
const corrupt = 11;
const notADatabase = 26;

function checkIntegrity(connection: Connection): void {
  const first = connection.prepare('PRAGMA quick_check(1)').get() as { quick_check?: string } | undefined;
  if (first?.quick_check !== 'ok') {
    throw Object.assign(new Error(first?.quick_check ?? 'quick_check gave no answer'), { errcode: corrupt });
  }
}

function isDamage(err: unknown): boolean {
  const code = ((err as Error).cause as { errcode?: number } | undefined)?.errcode ?? 0;
  return [corrupt, notADatabase].includes(code & 0xff);
}
