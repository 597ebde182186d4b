import { textStatement, type Statement } from '../../db/statement.ts';
import type { Db } from '../../db/tx.ts';
import { nextPlace } from '../pages.ts';
import { productView, type ProductFilter } from './product-schema.ts';
import type { ProductText } from './products.ts';

/** Products that meet every condition given; ordered as asked for and by id among equals, so that pages never overlap; else the newest first. */
export function filterProducts(db: Db, filter: ProductFilter): Promise<ProductText[]> {
  const { statement, values } = filterStatement(filter);
  return db.query(statement, values);
}

/** How a filter is asked of the database: its conditions alone, so that each combination of them is planned for what it is. */
export function filterStatement(filter: ProductFilter): {
  readonly statement: Statement<ProductText>;
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
  const order = orderOf(sort_by).by;
  const text = `SELECT ${productView.select} FROM products ${where}ORDER BY ${order} LIMIT ${parameter(limit)} OFFSET ${parameter(skip)}`;
  return { statement: named(text), values };
}

/** An order of products: as SQL, and what comes after a place in it. */
type Order = { readonly by: string; readonly after: (place: readonly string[]) => string };

const newest: Order = { by: 'id_key DESC', after: ([id]) => `id_key < ${id}` };
const rising = (column: string): Order => ({ by: `${column}, id_key`, after: ([key, id]) => `(${column}, id_key) > (${key}, ${id})` });
const falling = (column: string): Order => ({
  by: `${column} DESC, id_key`,
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

/** The cursor of the page after this one. */
export const nextFiltered = (rows: readonly ProductText[], { sort_by: sortBy, limit }: ProductFilter): string | undefined =>
  nextPlace(rows, limit, ({ id_key: id, price_cents: price, name }) => {
    if (sortBy === undefined) return [Number(id)];
    return [sortBy.startsWith('price') ? Number(price) : name, Number(id)];
  });

/** Five conditions, five orders, each from its start or from a place: 320 texts at most. */
const statements = new Map<string, Statement<ProductText>>();

function named(text: string): Statement<ProductText> {
  const known = statements.get(text);
  if (known) return known;
  const made = textStatement<ProductText>(`product-filter-${statements.size}`, text);
  statements.set(text, made);
  return made;
}

/** The characters that mean something in a LIKE pattern, taken literally. */
const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
