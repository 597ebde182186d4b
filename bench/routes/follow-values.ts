/** A statement that the API sent, with what it was given and what came back. */
export type Sent = {
  /** Undefined: it has no name, so the database plans it each time. */
  readonly name: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
  /** Whether its columns stay text. */
  readonly isText: boolean;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
};

/** Where a value comes from when the statement is asked again, for another request. */
export type Source =
  | { readonly is: unknown }
  /** The Idempotency-Key of the request. */
  | { readonly key: true }
  | { readonly each: readonly Source[] }
  /** What an earlier statement answered: its number, the row, the column, places within that. */
  | { readonly cell: readonly [statement: number, ...path: (string | number)[]] };

/** One request as the API asks it of the database, for any key. */
export type Script = readonly (Omit<Sent, 'values' | 'rows'> & { readonly values: readonly Source[] })[];

export type Take = { readonly key: string | undefined; readonly sent: readonly Sent[] };

/**
 * What a request asks of the database, from two takes of it under two keys: what is the same in both is always so, what differs is
 * the key, or stood in an earlier answer. Where it is neither, as the text of the answer that is kept, the first take's
 * value stands for all. Pure.
 * @throws {RangeError} when the takes send different statements
 */
export function followValues(one: Take, other: Take): Script {
  if (one.sent.map(({ text }) => text).join(';') !== other.sent.map(({ text }) => text).join(';'))
    throw new RangeError('the same request sent different statements the second time');
  return one.sent.map(({ rows: _rows, values, ...statement }, number) => {
    const seen = (take: Take): Cell[] => take.sent.slice(0, number).flatMap(({ rows }, at) => cellsOf(rows, [at]));
    const [cells, others] = [seen(one), new Map(seen(other).map(({ path, value }) => [path.join(), value]))];
    const sourceOf = (value: unknown, second: unknown): Source => {
      if (JSON.stringify(value) === JSON.stringify(second)) return { is: value };
      if (value === one.key && second === other.key) return { key: true };
      if (Array.isArray(value) && Array.isArray(second) && value.length === second.length)
        return { each: value.map((item, at) => sourceOf(item, second[at])) };
      const cell = cells.find(({ path, value: shown }) => shown === String(value) && others.get(path.join()) === String(second));
      return cell ? { cell: cell.path as [number] } : { is: value };
    };
    return { ...statement, values: values.map((value, at) => sourceOf(value, other.sent[number]?.values[at])) };
  });
}

type Cell = { readonly path: readonly (string | number)[]; readonly value: string };

function cellsOf(value: unknown, path: readonly (string | number)[]): Cell[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object') return [{ path, value: `${value as string | number | boolean}` }];
  const members: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return members.flatMap(([name, member]) => cellsOf(member, [...path, name]));
}

/** The value for one request. Pure. @param answered the rows of the statements before, in order */
export function valueOf(source: Source, key: string | undefined, answered: readonly unknown[]): unknown {
  if ('is' in source) return source.is;
  if ('key' in source) return key;
  if ('each' in source) return source.each.map((one) => valueOf(one, key, answered));
  return source.cell.reduce<unknown>((found, name) => (found as Record<string | number, unknown> | undefined)?.[name], answered);
}
