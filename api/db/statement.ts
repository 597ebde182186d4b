import type { Pool, PoolClient, QueryResultRow } from 'pg';

/**
 * A statement that PostgreSQL parses once per connection and from then on knows by its name. One name, one text: `pg`
 * refuses a name that comes with another text.
 */
export type Statement<Row extends QueryResultRow = QueryResultRow> = {
  readonly name: string;
  readonly text: string;
  /** Never present; ties a statement to the shape of its rows. */
  readonly row?: Row;
};

/** Names a statement and the shape of its rows. */
export function statement<Row extends QueryResultRow>(name: string, text: string): Statement<Row> {
  return { name, text };
}

/**
 * Runs a statement and returns its rows: on a pool by itself, on a client within that client's transaction. The way of
 * the busy paths, where building a query with Objection would cost more than the query.
 */
export async function runStatement<Row extends QueryResultRow>(
  on: Pool | PoolClient,
  { name, text }: Statement<Row>,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const result = await on.query<Row>({ name, text, values: values as unknown[] });
  return result.rows;
}
