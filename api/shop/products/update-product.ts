import type { Knex } from 'knex';
import { raw } from 'objection';
import { assertVersion } from '../assert-version.ts';
import { explainConstraints } from '../../db/constraints.ts';
import { inKnexTransaction } from '../../db/transaction.ts';
import { lockProducts } from '../stock/lock-products.ts';
import { setStock } from '../stock/set-stock.ts';
import type { ProductChanges } from './product-schema.ts';
import { Product } from './product.ts';

export type ProductUpdate = { readonly id: number; readonly changes: ProductChanges; readonly ifMatch: number | undefined };

/**
 * Changes the fields given. A new stock is a statement of what was counted: the ledger gets the difference.
 * @throws not_found when the product, or its new category, does not exist
 * @throws version_mismatch
 */
export async function updateProduct(knex: Knex, { id, changes, ifMatch }: ProductUpdate): Promise<Product> {
  const { price, stock, ...rest } = changes;
  return inKnexTransaction(knex, async (trx, session) => {
    const [product] = await lockProducts(session, [id]);
    assertVersion(product, ifMatch, 'product');
    const patch = {
      ...rest,
      ...(price !== undefined && { price_cents: price }),
      version: raw('version + 1'),
      updated_at: raw('now()'),
    };
    await explainConstraints(
      'write',
      Product.query(trx)
        .patch(patch as object)
        .where('id_key', id),
    );
    if (stock !== undefined) await setStock(session, product, { stock, reason: 'adjustment' });
    return (await Product.query(trx).findById(id)) as Product;
  });
}
