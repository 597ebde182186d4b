import { createHash, hash } from 'node:crypto';

/**
 * How a resource goes out. Its fields are named once, and give the columns to select, the type of a row, the JSON, the SQL
 * by which the database writes the same JSON, its schema, and the part of the entity tag that changes when the shape does.
 */

/** JSON Schema 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Shows values of one type; a `View<Row>` shows what has at least the members of `Row`. */
export type View<Value> = {
  /** JSON text; undefined for an answer without a body. */
  readonly json: (value: Value) => string | undefined;
  readonly schema: JsonSchema;
  /** The entity tag of a value and its text: strong for what has a version, weak for a list; undefined for other things. */
  readonly tag?: ((value: Value, text: string) => string) | undefined;
  /** The principal whose personal data is shown: what is kept of the answer goes when they do. */
  readonly ownerOf?: ((value: Value) => string) | undefined;
};

export type ObjectView<Row> = Omit<View<Row>, 'json'> & {
  readonly json: (row: Row) => string;
  /** Names of the columns it needs, and the same as a list for SELECT. */
  readonly columns: readonly string[];
  readonly select: string;
  /** SQL of the text that `json` writes, from a row of its table; of a list of such rows, in their order. */
  readonly sql: string;
  readonly listSql: string;
  /** For SELECT, instead of the columns: what `asWritten` shows. */
  readonly written: string;
};

/** One member of the JSON: its name, the row's member it comes from, and how that is written. */
export type Field<Column extends string, Value> = {
  readonly name: string;
  readonly column: Column;
  readonly write: (value: Value) => string;
  /** SQL of the text that `write` makes of the column; null where that is null. */
  readonly sql: string;
  readonly schema: JsonSchema;
  /** False where the row's member is no column of the table. */
  readonly isStored: boolean;
  /** Whether it belongs to others, so that it changes while the row's version stays. */
  readonly isOthers?: boolean;
};
type AnyField = Field<string, never>;

/** The rows that fields can show. */
export type RowOf<Fields extends readonly AnyField[]> = {
  readonly [F in Fields[number] as F['column']]: F extends Field<string, infer Value> ? Value : never;
};
/** The rows that a view can show. */
export type Shown<V> = V extends View<infer Value> ? Value : never;

type Options<Row> = { readonly ownerOf?: (row: Row) => string };

/**
 * A JSON object of these fields, in this order. One of them being `version` gives it an entity tag, which says the content too
 * where it shows what changes without the version.
 */
export function view<const Fields extends readonly AnyField[]>(
  fields: Fields,
  options: Options<RowOf<Fields>> = {},
): ObjectView<RowOf<Fields>> {
  type Row = RowOf<Fields> & Readonly<Record<string, never>>;
  const members = fields.map(({ name, column, write }, index) => ({ head: `${index === 0 ? '{' : ','}"${name}":`, column, write }));
  const columns = fields.filter(({ isStored }) => isStored).map(({ column }) => column);
  // Half of what `concat` or `json_build_object` takes.
  const sql = `(${fields.map((field, index) => `'${members[index]?.head}' || ${field.sql}`).join(' || ')} || '}')`;
  const properties = Object.fromEntries(fields.map(({ name, schema }) => [name, schema]));
  const schema = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
  const isOpen = fields.some((field) => field.isOthers);
  const shape = createHash('sha256').update(JSON.stringify(schema)).digest('hex').slice(0, 8);
  return {
    json: (row) => {
      let text = '';
      for (const { head, column, write } of members) text += head + write((row as Row)[column] as never);
      return `${text}}`;
    },
    schema,
    columns,
    select: columns.join(', '),
    sql,
    listSql: `('[' || coalesce(string_agg(${sql}, ','), '') || ']')`,
    written: [...['id_key', 'version'].filter((column) => columns.includes(column)), `${sql} AS json`].join(', '),
    tag: columns.includes('version')
      ? (row, text) => `"${String((row as Row)['version'])}-${shape}${isOpen ? contentOf(text) : ''}"`
      : undefined,
    ownerOf: options.ownerOf,
  };
}

const contentOf = (text: string): string => `-${hash('sha1', text).slice(0, 16)}`;

/** What the database has written, by the SQL of a view. */
export type Written = { readonly json: string };
/** A row of `view.written`, all of it text. */
export type WrittenRow = Written & { readonly id_key: string; readonly version?: string };

/** The same, of rows that the database has written: nothing of them is parsed. */
export const asWritten = ({ schema, tag }: ObjectView<never>): View<WrittenRow> => ({ json, schema, tag: tag as View<WrittenRow>['tag'] });

/**
 * A bare JSON array of what the view shows, as the database writes it by `view.listSql`. Its entity tag is that of the text, made
 * once for all whom the same answer is sent to, and weak: a list has no version that a change could be decided on.
 */
export function listOf({ schema }: Pick<ObjectView<never>, 'schema'>): View<Written> {
  const tags = new WeakMap<Written, string>();
  const tag = (written: Written): string => {
    let known = tags.get(written);
    if (known === undefined) tags.set(written, (known = `W/"${hash('sha1', written.json, 'base64url')}"`));
    return known;
  };
  return { json, schema: { type: 'array', items: schema }, tag };
}

const json = (written: Written): string => written.json;

/** An answer without a body. */
export const nothing: View<void> = { json: () => undefined, schema: {} };

/** A whole number, or PostgreSQL's text of one: written as it is, so only for columns of integers. */
export const integer = <const Name extends string>(name: Name): Field<Name, number | string> => ({
  name,
  column: name,
  write: String,
  sql: `${name}::text`,
  schema: { type: 'integer' },
  isStored: true,
});

export const text = <const Name extends string>(name: Name): Field<Name, string> => ({
  name,
  column: name,
  write: (value) => JSON.stringify(value),
  sql: `to_json(${name})::text`,
  schema: { type: 'string' },
  isStored: true,
});

export const flag = <const Name extends string>(name: Name): Field<Name, boolean> => ({
  name,
  column: name,
  write: String,
  sql: `${name}::text`,
  schema: { type: 'boolean' },
  isStored: true,
});

/** An instant, as ISO 8601 in UTC with milliseconds. */
export const time = <const Name extends string>(name: Name): Field<Name, Date> => ({
  name,
  column: name,
  write: (value) => `"${value.toISOString()}"`,
  sql: String.raw`to_char(${name} AT TIME ZONE 'UTC', '\"YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\"')`,
  schema: { type: 'string', format: 'date-time' },
  isStored: true,
});

/** A day of the calendar, as PostgreSQL writes it: `2026-11-26`. */
export const day = <const Name extends string>(name: Name): Field<Name, string> => ({
  ...text(name),
  schema: { type: 'string', format: 'date' },
});

export const nullable = <Column extends string, Value>(field: Field<Column, Value>): Field<Column, Value | null> => ({
  ...field,
  write: (value) => (value === null ? 'null' : field.write(value)),
  sql: `coalesce(${field.sql}, 'null')`,
  schema: { ...field.schema, type: [field.schema['type'], 'null'] },
});

/**
 * The rows that belong to this one.
 * @param from what follows FROM in their SELECT: table, condition on the row outside, which goes by the name of its table, order
 */
export const many = <const Name extends string, Row>(name: Name, of: ObjectView<Row>, from: string): Field<Name, readonly Row[]> => ({
  name,
  column: name,
  write: (rows) => `[${rows.map(of.json).join(',')}]`,
  sql: `(SELECT ${of.listSql} FROM (SELECT ${of.select} FROM ${from}) AS ${name})`,
  schema: { type: 'array', items: of.schema },
  isStored: false,
});

/** The one that this one belongs to, or null; `from` as for `many`. */
export const parent = <const Name extends string, Row>(name: Name, of: ObjectView<Row>, from: string): Field<Name, Row | null> => ({
  name,
  column: name,
  write: (row) => (row === null ? 'null' : of.json(row)),
  sql: `coalesce((SELECT ${of.sql} FROM ${from}), 'null')`,
  schema: { anyOf: [of.schema, { type: 'null' }] },
  isStored: false,
});

/** A field of others. */
export const others = <Column extends string, Value>(field: Field<Column, Value>, schema: JsonSchema = {}): Field<Column, Value> => ({
  ...field,
  schema: { ...field.schema, ...schema },
  isOthers: true,
});
