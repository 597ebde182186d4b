import type { Knex } from 'knex';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { runStatement, type Statement } from './statement.ts';

/** The statements of one transaction, run one after the other on its connection. */
export type Session = {
  readonly query: <Row extends QueryResultRow>(statement: Statement<Row>, values?: readonly unknown[]) => Promise<Row[]>;
};

/**
 * Runs `work` in one READ COMMITTED transaction. Its effects are there once this resolves, and none of them when it
 * rejects with an error of `work`. When the connection breaks during the commit the outcome is unknown, which is what
 * Idempotency-Key is for.
 */
export async function inTransaction<T>(pool: Pool, work: (session: Session) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(sessionOn(client));
    const { command } = await client.query('COMMIT');
    // PostgreSQL answers COMMIT with ROLLBACK when a failed statement was swallowed.
    if (command !== 'COMMIT') throw new Error('a statement of the transaction had failed; it was rolled back');
    return result;
  } catch (err) {
    broken = await rollBack(client);
    throw err;
  } finally {
    client.release(broken);
  }
}

/** The same for Objection models, which take `trx`. */
export async function inKnexTransaction<T>(knex: Knex, work: (trx: Knex.Transaction, session: Session) => Promise<T>): Promise<T> {
  return knex.transaction(async (trx) => {
    const client = (await trx.client.acquireConnection()) as PoolClient;
    return work(trx, sessionOn(client));
  });
}

const sessionOn = (client: PoolClient): Session => ({ query: (statement, values) => runStatement(client, statement, values) });

/** A connection on which even ROLLBACK fails must not go back into the pool. */
async function rollBack(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (err) {
    return err instanceof Error ? err : new Error(String(err));
  }
}
