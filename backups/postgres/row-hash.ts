import type { Client } from 'pg';
import type { Fingerprint } from '../set/manifest.ts';
import { isUsers } from './schema.ts';

/**
 * How a row becomes 64 bits. `columns`: from its columns as they are stored, at a third of the CPU; `text`: from the text
 * form of the whole row, as in sets before version 3.
 */
export type RowHashing = NonNullable<Fingerprint['hashing']> | 'text';

/** A table that holds rows of its own. */
type Table = {
  /** As `schema.name`, quoted where needed. */
  readonly name: string;
  /** `type` is null for one that is no part of PostgreSQL itself. */
  readonly columns: readonly { readonly name: string; readonly type: string | null }[];
};

/** No table has a column of that name, else the column would be meant. */
const rowAlias = 'atalaya_row_';

/**
 * Types that hash without their text form, and what is hashed of a value: itself where PostgreSQL's own hash tells apart
 * whatever differs, else the bytes it is sent as, since eight-byte values are folded to four by theirs. Those hashes and
 * bytes stay the same over versions: hash partitions and clients rely on them. Not here are types whose hash takes different
 * values for one (1.0 and 1.00), or whose bytes differ for one (NaN).
 */
const exact: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['bool', 'int2', 'int4', 'oid', 'date', 'uuid', 'bytea'].map((type) => [type, '$'])),
  text: '$ COLLATE "C"',
  varchar: '$ COLLATE "C"',
  int8: 'int8send($)',
  timestamp: 'timestamp_send($)',
  timestamptz: 'timestamptz_send($)',
};

export async function listTables(client: Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('name', format('%I', a.attname), 'type', t.typname) ORDER BY a.attnum), '[]')
             FROM pg_attribute a LEFT JOIN pg_type t ON t.oid = a.atttypid AND t.typnamespace = 'pg_catalog'::regnamespace
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND ${isUsers} ORDER BY 1`,
  );
  return rows;
}

const textHash = `hashtextextended(ROW(${rowAlias}.*)::text COLLATE "C", 0)`;

/**
 * The hash of a record adds up those of its columns, and the hash of a table those of its rows: by itself it would not see
 * values that change places between rows. So it is hashed once more, as the seed, of which all 64 bits count.
 */
function columnsHash(columns: Table['columns']): string {
  const bare = columns.map(({ name, type }) => ({ value: `${rowAlias}.${name}`, form: type === null ? undefined : exact[type] }));
  const hashed = bare.flatMap(({ value, form }) => (form === undefined ? [] : [form.replace('$', () => value)]));
  const others = bare.flatMap(({ value, form }) => (form === undefined ? [value] : []));
  const parts = others.length === 0 ? hashed : [...hashed, `ROW(${others.join(', ')})::text COLLATE "C"`];
  return `hashint8extended(0, hash_record_extended(ROW(${parts.join(', ')}), 0))`;
}

/** Rows of a table and the sum of their hashes: it does not depend on their order, and repeated rows count. */
export async function hashTable(client: Client, table: Table, hashing: RowHashing): Promise<{ rows: number; hash: string }> {
  const hash = hashing === 'text' ? textHash : columnsHash(table.columns);
  // ONLY: children count by themselves. The sum of bigints is a numeric, and cannot overflow.
  const { rows } = await client.query<{ rows: string; hash: string }>(
    `SELECT count(*)::text AS rows, coalesce(sum(${hash}), 0)::text AS hash FROM ONLY ${table.name} AS ${rowAlias}`,
  );
  return { rows: Number(rows[0]?.rows), hash: rows[0]?.hash ?? '' };
}
