import { setTimeout as sleep } from 'node:timers/promises';
import createKnexInstance, { type Knex } from 'knex';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { failureOf, type FailureKind } from '#lib/postgres.ts';
import { runStatement, type Statement } from './statement.ts';

/** The database to read from: named statements for the busy paths, Objection models (`Model.query(db.knex)`) elsewhere. */
export type Db = {
  readonly query: <Row extends QueryResultRow>(statement: Statement<Row>, values?: readonly unknown[]) => Promise<Row[]>;
  readonly knex: Knex;
};

/** One transaction, on one connection. What changes anything asks for it: `verb(tx, input)`, and none begins its own. */
export type Tx = Db & { readonly isTransaction: true };

export type Database = {
  /** Each statement by itself, on whichever connection is free. */
  readonly read: Db;
  /**
   * Runs `work` in a READ COMMITTED transaction: its effects are there once this resolves, and none of them when it
   * rejects, except with CommitUnknownError. A conflict with another transaction is tried again, with `work` from its start.
   * @param isOnce whether `work` notices by itself that it was done before; an unknown commit is then found out by running it again
   * @throws {CommitUnknownError}
   */
  readonly transact: <T>(work: (tx: Tx) => Promise<T>, options: { readonly isOnce: boolean }) => Promise<T>;
};

/** The connection broke while COMMIT was under way: the changes are there, all of them, or none. */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError';
}

const maxAttempts = 4;
/** Failures that show that the database was there and carried out what it was told. */
const ofTheStatement: ReadonlySet<FailureKind> = new Set(['constraint', 'bad-value']);

export function createDatabase(pool: Pool): Database {
  return {
    read: { query: (statement, values) => runStatement(pool, statement, values), knex: createKnex(pool) },
    transact: async (work, { isOnce }) => {
      let unknown: CommitUnknownError | undefined;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await transactOnce(pool, work);
        } catch (err) {
          if (err instanceof CommitUnknownError) unknown = err;
          const kind = failureOf(err)?.kind;
          // After an unknown commit a database that fails tells nothing of it; whatever `work` itself throws does.
          const isOpen = unknown !== undefined && (err === unknown || (kind !== undefined && !ofTheStatement.has(kind)));
          if (isOpen ? !isOnce : kind !== 'conflict') throw err;
          if (attempt === maxAttempts) throw unknown ?? err;
        }
        await sleep(20 * 2 ** attempt * (0.5 + Math.random() / 2));
      }
    },
  };
}

async function transactOnce<T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(txOn(client));
    await commit(client);
    return result;
  } catch (err) {
    broken = err instanceof CommitUnknownError ? err : await rollBack(client);
    throw err;
  } finally {
    client.release(broken);
  }
}

async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT').catch((err: unknown) => {
    const failure = failureOf(err);
    // What the server says of COMMIT itself is certain. That it shuts down, or nothing at all, leaves it open.
    const isCertain = failure?.sqlState !== undefined && failure.kind !== 'refused-for-now' && failure.kind !== 'unreachable';
    throw isCertain ? err : new CommitUnknownError('the connection broke during COMMIT', { cause: err });
  });
  // PostgreSQL answers COMMIT with ROLLBACK when a failed statement was swallowed.
  if (command !== 'COMMIT') throw new Error('a statement of the transaction had failed; it was rolled back');
}

/** A connection on which even ROLLBACK fails must not go back into the pool. */
async function rollBack(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (err) {
    return err instanceof Error ? err : new Error(String(err));
  }
}

function txOn(client: PoolClient): Tx {
  let knex: Knex | undefined;
  return {
    isTransaction: true,
    query: (statement, values) => runStatement(client, statement, values),
    get knex() {
      // Made only where a model is used: it costs as much as the query it builds.
      return (knex ??= createKnex(poolOf(client)));
    },
  };
}

/** Knex, and Objection on it, over the given pool, which stays open: whoever made it ends it. */
export function createKnex(pool: Pick<Pool, 'connect'>): Knex {
  return createKnexInstance({ client: 'pg', version: '15', connectionPool: pool as Pool, log: silent });
}

/** A pool of just this connection, which is never given back: what knex runs on it belongs to the transaction. */
const poolOf = (client: PoolClient): Pick<Pool, 'connect'> => ({
  connect: (() => Promise.resolve({ query: client.query.bind(client), release: () => undefined })) as unknown as Pool['connect'],
});

/** Knex prints failures that it also throws; whoever catches them logs them once. */
const silent: Knex.Logger = { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} };
