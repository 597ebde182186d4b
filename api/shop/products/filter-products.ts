import { textStatement, type Statement } from '../../db/statement.ts';
import type { Db } from '../../db/tx.ts';
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
  const { search, category_id, min_price, max_price, in_stock_only, sort_by, limit, skip } = filter;
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const conditions = [
    search !== undefined && `name ILIKE ${parameter(`%${escapeLike(search)}%`)}`,
    category_id !== undefined && `category_id = ${parameter(category_id)}`,
    min_price !== undefined && `price_cents >= ${parameter(min_price)}`,
    max_price !== undefined && `price_cents <= ${parameter(max_price)}`,
    in_stock_only && 'stock > 0',
  ].filter((condition) => condition !== false);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')} `;
  const order = sort_by === undefined ? 'id_key DESC' : `${orders[sort_by]}, id_key`;
  const text = `SELECT ${productView.select} FROM products ${where}ORDER BY ${order} LIMIT ${parameter(limit)} OFFSET ${parameter(skip)}`;
  return { statement: named(text), values };
}

const orders: Readonly<Record<NonNullable<ProductFilter['sort_by']>, string>> = {
  price_asc: 'price_cents',
  price_desc: 'price_cents DESC',
  name: 'name',
  name_asc: 'name',
  name_desc: 'name DESC',
};

/** Five conditions and five orders make 160 texts at most. */
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
