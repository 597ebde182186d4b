import type { Client, CustomTypesConfig, Pool, PoolClient, QueryResultRow } from 'pg';

/**
 * A statement that PostgreSQL parses once per connection and from then on knows by its name. One name, one text: `pg`
 * refuses a name that comes with another text.
 */
export type Statement<Row extends QueryResultRow = QueryResultRow> = {
  readonly name: string;
  readonly text: string;
  /** Present when columns stay as PostgreSQL writes them. */
  readonly types?: CustomTypesConfig;
  /** Never present; ties a statement to the shape of its rows. */
  readonly row?: Row;
};

/** Names a statement and the shape of its rows. */
export function statement<Row extends QueryResultRow>(name: string, text: string): Statement<Row> {
  return { name, text };
}

/** The same with every column left as text: for rows that only become JSON text, parsing numbers and dates is wasted. */
export function textStatement<Row extends Readonly<Record<string, string | null>>>(name: string, text: string): Statement<Row> {
  return { name, text, types: textColumns };
}

/**
 * A parameter whose value the planner is not shown, for a statement of which one plan is good for every value. PostgreSQL
 * then keeps that plan for the connection. Shown the number of ids in a list, or a limit, it takes each call for a better
 * bargain than the average one and plans anew, which costs a short statement more than it does itself.
 * @see https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES
 */
export const unseen = (parameter: `$${number}`, type: string): string => `((SELECT ${parameter}::${type})::${type})`;

/** Column parsers that leave PostgreSQL's text as it is. */
export const textColumns: CustomTypesConfig = { getTypeParser: (() => (text: string) => text) as CustomTypesConfig['getTypeParser'] };

/**
 * Runs a statement and returns its rows: on a pool by itself, on a client within that client's transaction. The way of
 * the busy paths, where building a query with Objection would cost more than the query.
 */
export async function runStatement<Row extends QueryResultRow>(
  on: Pool | PoolClient,
  { name, text, types }: Statement<Row>,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const { rows } = await on.query<Row>({ name, text, values: values as unknown[], ...(types && { types }) });
  return rows;
}

/** Gathers what is sent, so that it goes out in one piece: once the function returned is called. */
export function holdBack(client: PoolClient): () => void {
  const { stream } = (client as PoolClient & Pick<Client, 'connection'>).connection;
  stream.cork();
  return () => stream.uncork();
}
