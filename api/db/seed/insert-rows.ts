import type { ClientBase } from 'pg';

/** Column → its type and the value of each row. */
export type Columns = Readonly<Record<string, readonly [type: string, values: readonly unknown[]]>>;

/** Inserts many rows in one statement, in their order, and returns the id each got. Names come from the code, never from input. */
export async function insertRows(client: ClientBase, table: string, idColumn: string, columns: Columns): Promise<number[]> {
  const names = Object.keys(columns).join(', ');
  const arrays = Object.values(columns).map(([type], index) => `$${index + 1}::${type}[]`);
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO ${table} (${names})
     SELECT ${names} FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS given (${names}, position) ORDER BY position
     RETURNING ${idColumn} AS id`,
    Object.values(columns).map(([, values]) => values),
  );
  return rows.map(({ id }) => Number(id));
}
