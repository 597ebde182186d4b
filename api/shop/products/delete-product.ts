import type { Knex } from 'knex';
import { assertVersion } from '../assert-version.ts';
import { explainConstraints } from '../../db/constraints.ts';
import { Product } from './product.ts';

/**
 * Deletes a product that was never sold, with its ledger.
 * @throws not_found
 * @throws version_mismatch
 * @throws in_use when an order has it
 */
export async function deleteProduct(knex: Knex, id: number, ifMatch: number | undefined): Promise<void> {
  await knex.transaction(async (trx) => {
    const product = await Product.query(trx).findById(id).forUpdate();
    assertVersion(product, ifMatch, 'product');
    await explainConstraints('delete', Product.query(trx).deleteById(id));
  });
}
