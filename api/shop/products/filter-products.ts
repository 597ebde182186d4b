import type { EachValues } from '../../db/shared-reads.ts';
import { textStatement, type Statement } from '../../db/statement.ts';
import type { Db } from '../../db/tx.ts';
import { eachOf, writtenPage, type EachColumn, type IdentifiedPage, type WrittenPage } from '../pages.ts';
import { productView, type ProductFilter } from './product-schema.ts';

/**
 * Products that meet every condition given; ordered as asked for and by id among equals, so that pages never overlap; else the newest first.
 * While there are few products, filters of one kind that many ask for at once become one question.
 */
export async function filterProducts(db: Db, filter: ProductFilter): Promise<WrittenPage> {
  const { statement, each, values } = filterStatement(filter);
  if (each && performance.now() >= (aloneUntilMs.get(db.knex) ?? 0)) {
    const page = await db.byEach(each, values);
    if (page) return page;
    aloneUntilMs.set(db.knex, performance.now() + lookAgainMs);
  }
  return (await db.query(statement, values))[0] as WrittenPage;
}

/**
 * What is asked together has one plan for all values. Over many products the plan that finds a rare word takes hundreds of
 * milliseconds for a common one, and the other way round; over half a mebibyte, 2,400 with a short description, which are read through
 * in two, it takes what each alone does, for which PostgreSQL mostly plans no more either.
 */
const areFew = `(SELECT pg_relation_size('products')) <= ${512 * 1024}`;
const lookAgainMs = 60_000;
/** Of each database, by what is the same for all who read from it. */
const aloneUntilMs = new WeakMap<Db['knex'], number>();

type Kind = { readonly statement: Statement<WrittenPage>; readonly each: Statement<IdentifiedPage> | undefined };
type Asked = Kind & { readonly values: EachValues };

/**
 * The statement has its conditions alone, so that each combination of them is planned for what it is. `each` is the same for
 * `byEach`, which answers nobody once there are many products; undefined where one page may take long.
 */
export function filterStatement(filter: ProductFilter): Asked {
  const { search, category_id, min_price, max_price, in_stock_only, sort_by, limit, skip, cursor } = filter;
  const pattern = search === undefined ? undefined : `%${escapeLike(search)}%`;
  const given = [pattern, category_id, min_price, max_price];
  const isFar = skip > 0;
  const values = [...given.filter((value) => value !== undefined), ...(cursor ?? []), limit, ...(isFar ? [skip] : [])];
  const shape = `${given.map((value) => (value === undefined ? '-' : '+')).join('')} ${in_stock_only} ${cursor !== undefined} ${isFar} ${sort_by}`;
  let kind = kinds.get(shape);
  if (!kind) kinds.set(shape, (kind = kindOf(`product-filter-${kinds.size}`, filter, values)));
  return { statement: kind.statement, each: limit > 100 ? undefined : kind.each, values };
}

/** By what is given: five conditions, six orders, each from its start or a place, at it or farther on, so 768 at most. */
const kinds = new Map<string, Kind>();

function kindOf(name: string, filter: ProductFilter, values: EachValues): Kind {
  const isFar = filter.skip > 0;
  const columns = values.map((value, index): EachColumn => [`value_${index + 1}`, typeof value === 'string' ? 'text' : 'bigint']);
  const [alone, together] = ['$', 'asked.value_'].map((prefix) => textOf(filter, (number) => `${prefix}${number}`)) as [string, string];
  return { statement: textStatement(name, alone), each: isFar ? undefined : eachOf(`${name}-each`, columns, together, areFew) };
}

/** @param parameter of `filterStatement`'s values, the nth from 1 */
function textOf(
  { search, category_id, min_price, max_price, in_stock_only, sort_by, cursor, skip }: ProductFilter,
  parameter: (number: number) => string,
): string {
  let parameters = 0;
  const next = (): string => parameter((parameters += 1));
  const order = orderOf(sort_by);
  const conditions = [
    search !== undefined && `name ILIKE ${next()}`,
    category_id !== undefined && `category_id = ${next()}`,
    min_price !== undefined && `price_cents >= ${next()}`,
    max_price !== undefined && `price_cents <= ${next()}`,
    in_stock_only && 'stock > 0',
    cursor !== undefined && order.after(cursor.map(next)),
  ].filter((condition) => condition !== false);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')} `;
  const limit = next();
  const select = (columns: string): string => `SELECT ${columns} FROM products ${where}ORDER BY ${order.by} LIMIT ${limit}`;
  const rows = skip > 0 ? farOff(`${select('id_key')} OFFSET ${next()}`, order) : select(productView.select);
  return writtenPage(productView, 'products', { rows, limit: `${limit}::bigint::integer`, order: order.columns });
}

/** Ids alone are counted off an index, where it has the conditions too; only the products of the page are then read. */
const farOff = (ids: string, { by }: Order): string =>
  `SELECT ${productView.select} FROM products WHERE id_key = ANY (ARRAY(${ids})) ORDER BY ${by}`;

/** An order of products: as SQL, the columns that a place in it consists of, and what comes after a place. */
type Order = { readonly by: string; readonly columns: readonly string[]; readonly after: (place: readonly string[]) => string };

const newest: Order = { by: 'id_key DESC', columns: ['id_key'], after: ([id]) => `id_key < ${id}` };
const rising = (column: string): Order => ({
  by: `${column}, id_key`,
  columns: [column, 'id_key'],
  after: ([key, id]) => `(${column}, id_key) > (${key}, ${id})`,
});
const falling = (column: string): Order => ({
  by: `${column} DESC, id_key`,
  columns: [column, 'id_key'],
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

/** The characters that mean something in a LIKE pattern, taken literally. */
const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
