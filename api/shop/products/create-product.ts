import type { Knex } from 'knex';
import { explainConstraints } from '../../db/constraints.ts';
import type { Session } from '../../db/transaction.ts';
import { setStock } from '../stock/set-stock.ts';
import type { ProductInput } from './product-schema.ts';
import { Product } from './product.ts';

/**
 * Adds a product; its first stock stands in the ledger.
 * @throws not_found when the category does not exist
 */
export async function createProduct(trx: Knex.Transaction, session: Session, input: ProductInput): Promise<Product> {
  const { price, stock, ...rest } = input;
  const inserted = await explainConstraints(
    'write',
    Product.query(trx)
      .insert({ ...rest, price_cents: price })
      .returning(['id_key', 'stock']),
  );
  await setStock(session, inserted, { stock, reason: 'initial' });
  const product = await Product.query(trx).findById(inserted.id_key);
  return product as Product;
}
