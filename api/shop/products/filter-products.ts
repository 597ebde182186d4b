import { textColumns } from '../../db/statement.ts';
import type { Db } from '../../db/tx.ts';
import { productView, type ProductFilter } from './product-schema.ts';
import { Product, type ProductText } from './products.ts';

/** Products that meet every condition given; ordered as asked for and by id among equals, so that pages never overlap; else the newest first. */
export async function filterProducts(db: Db, filter: ProductFilter): Promise<ProductText[]> {
  const query = Product.query(db.knex)
    .select([...productView.columns])
    .limit(filter.limit)
    .offset(filter.skip);
  if (filter.search !== undefined) query.where('name', 'ilike', `%${escapeLike(filter.search)}%`);
  if (filter.category_id !== undefined) query.where('category_id', filter.category_id);
  if (filter.min_price !== undefined) query.where('price_cents', '>=', filter.min_price);
  if (filter.max_price !== undefined) query.where('price_cents', '<=', filter.max_price);
  if (filter.in_stock_only) query.where('stock', '>', 0);
  if (filter.sort_by === undefined) query.orderBy('id_key', 'desc');
  else query.orderBy([orders[filter.sort_by], 'id_key']);
  return query.toKnexQuery<ProductText>().options({ types: textColumns });
}

const orders = {
  price_asc: { column: 'price_cents', order: 'asc' },
  price_desc: { column: 'price_cents', order: 'desc' },
  name: { column: 'name', order: 'asc' },
  name_asc: { column: 'name', order: 'asc' },
  name_desc: { column: 'name', order: 'desc' },
} as const satisfies Record<NonNullable<ProductFilter['sort_by']>, object>;

/** The characters that mean something in a LIKE pattern, taken literally. */
const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
