import type { Knex } from 'knex';
import { explainConstraints } from '../../db/constraints.ts';
import { Category } from './category.ts';
import type { CategoryInput } from './category-schema.ts';

/** @throws duplicate when the name is taken */
export async function createCategory(trx: Knex.Transaction, { name }: CategoryInput): Promise<Category> {
  return explainConstraints('write', Category.query(trx).insert({ name }).returning(['id_key', 'name', 'version']));
}
