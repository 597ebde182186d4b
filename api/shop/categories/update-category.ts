import type { Knex } from 'knex';
import { raw } from 'objection';
import { assertVersion } from '../assert-version.ts';
import { explainConstraints } from '../../db/constraints.ts';
import { Category } from './category.ts';
import type { CategoryChanges } from './category-schema.ts';

export type CategoryUpdate = { readonly id: number; readonly changes: CategoryChanges; readonly ifMatch: number | undefined };

/**
 * @throws not_found
 * @throws version_mismatch
 * @throws duplicate when the new name is taken
 */
export async function updateCategory(knex: Knex, { id, changes, ifMatch }: CategoryUpdate): Promise<Category> {
  return knex.transaction(async (trx) => {
    const category = await Category.query(trx).findById(id).forNoKeyUpdate();
    assertVersion(category, ifMatch, 'category');
    const patch = { ...(changes.name !== undefined && { name: changes.name }), version: raw('version + 1'), updated_at: raw('now()') };
    return explainConstraints('write', Category.query(trx).patchAndFetchById(id, patch as object));
  });
}
