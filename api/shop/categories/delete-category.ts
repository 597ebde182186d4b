import type { Knex } from 'knex';
import { assertVersion } from '../assert-version.ts';
import { explainConstraints } from '../../db/constraints.ts';
import { Category } from './category.ts';

/**
 * @throws not_found
 * @throws version_mismatch
 * @throws in_use while it has products
 */
export async function deleteCategory(knex: Knex, id: number, ifMatch: number | undefined): Promise<void> {
  await knex.transaction(async (trx) => {
    const category = await Category.query(trx).findById(id).forUpdate();
    assertVersion(category, ifMatch, 'category');
    await explainConstraints('delete', Category.query(trx).deleteById(id));
  });
}
