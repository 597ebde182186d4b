import type { Pool } from 'pg';
import { runStatement, textStatement } from '../../db/statement.ts';
import { ApiError } from '../../errors.ts';
import { productColumns } from './present-product.ts';

/** Columns as PostgreSQL's text, for the presenter alone. */
export type ProductText = {
  readonly id_key: string;
  readonly name: string;
  readonly description: string | null;
  readonly price_cents: string;
  readonly stock: string;
  readonly category_id: string | null;
  readonly version: string;
};

const columns = productColumns.join(', ');
const oneProduct = textStatement<ProductText>('product-one', `SELECT ${columns} FROM products WHERE id_key = $1`);
const productPage = textStatement<ProductText>('product-page', `SELECT ${columns} FROM products ORDER BY id_key LIMIT $1 OFFSET $2`);

/** @throws not_found */
export async function readProduct(pool: Pool, id: number): Promise<ProductText> {
  const [row] = await runStatement(pool, oneProduct, [id]);
  if (!row) throw new ApiError('not_found', 'The product does not exist.');
  return row;
}

export function readProducts(pool: Pool, { skip, limit }: { readonly skip: number; readonly limit: number }): Promise<ProductText[]> {
  return runStatement(pool, productPage, [limit, skip]);
}
