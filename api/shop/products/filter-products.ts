import { textStatement, type Statement } from '../../db/statement.ts';
import type { Db } from '../../db/tx.ts';
import { writtenPage, type WrittenPage } from '../pages.ts';
import { productView, type ProductFilter } from './product-schema.ts';

/** Products that meet every condition given; ordered as asked for and by id among equals, so that pages never overlap; else the newest first. */
export async function filterProducts(db: Db, filter: ProductFilter): Promise<WrittenPage> {
  const { statement, values } = filterStatement(filter);
  return (await db.query(statement, values))[0] as WrittenPage;
}

/** Its conditions alone, so that each combination of them is planned for what it is. */
export function filterStatement(filter: ProductFilter): {
  readonly statement: Statement<WrittenPage>;
  readonly values: readonly unknown[];
} {
  const { search, category_id, min_price, max_price, in_stock_only, sort_by, limit, skip, cursor } = filter;
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const conditions = [
    search !== undefined && `name ILIKE ${parameter(`%${escapeLike(search)}%`)}`,
    category_id !== undefined && `category_id = ${parameter(category_id)}`,
    min_price !== undefined && `price_cents >= ${parameter(min_price)}`,
    max_price !== undefined && `price_cents <= ${parameter(max_price)}`,
    in_stock_only && 'stock > 0',
    cursor !== undefined && orderOf(sort_by).after(cursor.map(parameter)),
  ].filter((condition) => condition !== false);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')} `;
  const order = orderOf(sort_by);
  const most = parameter(limit);
  const select = (columns: string): string => `SELECT ${columns} FROM products ${where}ORDER BY ${order.by} LIMIT ${most}`;
  const rows = skip === 0 ? select(productView.select) : farOff(`${select('id_key')} OFFSET ${parameter(skip)}`, order);
  return {
    statement: named(writtenPage(productView, 'products', { rows, limit: `${most}::bigint::integer`, place: order.place })),
    values,
  };
}

/** Ids alone are counted off an index, where it has the conditions too; only the products of the page are then read. */
const farOff = (ids: string, { by }: Order): string =>
  `SELECT ${productView.select} FROM products WHERE id_key = ANY (ARRAY(${ids})) ORDER BY ${by}`;

/** An order of products: as SQL, a row's place in it, and what comes after a place. */
type Order = { readonly by: string; readonly place: string; readonly after: (place: readonly string[]) => string };

const placeBy = (column: string): string => `concat('[', to_json(${column}), ',', id_key, ']')`;
const newest: Order = { by: 'id_key DESC', place: `concat('[', id_key, ']')`, after: ([id]) => `id_key < ${id}` };
const rising = (column: string): Order => ({
  by: `${column}, id_key`,
  place: placeBy(column),
  after: ([key, id]) => `(${column}, id_key) > (${key}, ${id})`,
});
const falling = (column: string): Order => ({
  by: `${column} DESC, id_key`,
  place: placeBy(column),
  // The first half alone finds its place in an index of the column.
  after: ([key, id]) => `${column} <= ${key} AND (${column} < ${key} OR id_key > ${id})`,
});

const orders: Readonly<Record<NonNullable<ProductFilter['sort_by']>, Order>> = {
  price_asc: rising('price_cents'),
  price_desc: falling('price_cents'),
  name: rising('name'),
  name_asc: rising('name'),
  name_desc: falling('name'),
};

const orderOf = (sortBy: ProductFilter['sort_by']): Order => (sortBy === undefined ? newest : orders[sortBy]);

/** Five conditions, five orders, each from its start or a place, at it or farther on: 640 texts at most. */
const statements = new Map<string, Statement<WrittenPage>>();

function named(text: string): Statement<WrittenPage> {
  const known = statements.get(text);
  if (known) return known;
  const made = textStatement<WrittenPage>(`product-filter-${statements.size}`, text);
  statements.set(text, made);
  return made;
}

/** The characters that mean something in a LIKE pattern, taken literally. */
const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
