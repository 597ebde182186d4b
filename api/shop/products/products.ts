import { Model } from 'objection';
import { textStatement, unseen } from '../../db/statement.ts';
import type { Db, Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import type { WrittenRow } from '../../http/view.ts';
import { askEachPage, pagesOfEach, type Page, type WrittenPage } from '../pages.ts';
import { lockProducts, setStock } from '../stock/stock.ts';
import { assertVersion, raised } from '../versioned.ts';
import { productView, type ProductChanges, type ProductInput } from './product-schema.ts';

/** A thing for sale. Its stock moves only through stock/. */
export class Product extends Model {
  static override readonly tableName = 'products';
  static override readonly idColumn = 'id_key';

  declare readonly id_key: number;
  declare readonly name: string;
  declare readonly description: string | null;
  declare readonly price_cents: number;
  declare readonly stock: number;
  declare readonly category_id: number | null;
  declare readonly version: number;
}

const productsById = textStatement<WrittenRow>(
  'products-by-id',
  `SELECT ${productView.written} FROM products WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`,
);
const productPages = pagesOfEach('product-pages', productView, 'products', { asked: [], condition: 'true' });

/** @throws not_found */
export const readProduct = (db: Db, id: number): Promise<WrittenRow> => db.byId(productsById, id).then(assertFound);

function assertFound(row: WrittenRow | undefined): WrittenRow {
  if (!row) throw new ApiError('not_found', 'The product does not exist.');
  return row;
}

export const readProducts = (db: Db, page: Page): Promise<WrittenPage> => askEachPage(db, productPages, page);

/**
 * Adds a product; its first stock stands in the ledger.
 * @throws not_found when the category does not exist
 */
export async function createProduct(tx: Tx, { price, stock, ...rest }: ProductInput): Promise<WrittenRow> {
  const { id_key: id } = await Product.query(tx.knex)
    .insert({ ...rest, price_cents: price })
    .returning('id_key');
  await setStock(tx, id, stock, 'initial');
  return readProduct(tx, id);
}

export type ProductUpdate = { readonly id: number; readonly changes: ProductChanges; readonly ifMatch: readonly number[] | undefined };

/**
 * Changes the fields given. A new stock is a statement of what was counted: the ledger gets the difference.
 * @throws version_mismatch, or not_found when the product, or its new category, does not exist
 */
export async function updateProduct(tx: Tx, { id, changes, ifMatch }: ProductUpdate): Promise<WrittenRow> {
  const { price, stock, ...rest } = changes;
  assertVersion((await lockProducts(tx, [id])).get(id), ifMatch, 'product');
  if (stock !== undefined) await setStock(tx, id, stock, 'adjustment');
  await Product.query(tx.knex)
    .patch(raised({ ...rest, ...(price !== undefined && { price_cents: price }) }))
    .findById(id);
  return readProduct(tx, id);
}

/**
 * Deletes a product that was never sold, with its ledger.
 * @throws not_found, version_mismatch, or in_use when an order has it
 */
export async function deleteProduct(tx: Tx, id: number, ifMatch: readonly number[] | undefined): Promise<void> {
  assertVersion(await Product.query(tx.knex).findById(id).forUpdate(), ifMatch, 'product');
  await Product.query(tx.knex).deleteById(id);
}
