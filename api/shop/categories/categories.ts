import { Model } from 'objection';
import { textStatement, unseen } from '../../db/statement.ts';
import type { Db, Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import type { WrittenRow } from '../../http/view.ts';
import { askPage, pageOf, type Page, type WrittenPage } from '../pages.ts';
import { assertVersion, raised } from '../versioned.ts';
import { categoryView, type CategoryChanges, type CategoryInput } from './category-schema.ts';

/** A group of products. Its name is unique. */
class Category extends Model {
  static override readonly tableName = 'categories';
  static override readonly idColumn = 'id_key';

  declare readonly id_key: number;
  declare readonly name: string;
  declare readonly version: number;
}

const categoriesById = textStatement<WrittenRow>(
  'categories-by-id',
  `SELECT ${categoryView.written} FROM categories WHERE id_key = ANY (${unseen('$1', 'bigint[]')})`,
);
const categoryPage = pageOf('category-page', categoryView, 'categories');

/** @throws not_found */
export async function readCategory(db: Db, id: number): Promise<WrittenRow> {
  const row = await db.byId(categoriesById, id);
  if (!row) throw new ApiError('not_found', 'The category does not exist.');
  return row;
}

export const readCategories = (db: Db, page: Page): Promise<WrittenPage> => askPage(db, categoryPage, page);

/** @throws duplicate when the name is taken */
export async function createCategory(tx: Tx, input: CategoryInput): Promise<Category> {
  return Category.query(tx.knex)
    .insert(input)
    .returning([...categoryView.columns]);
}

export type CategoryUpdate = { readonly id: number; readonly changes: CategoryChanges; readonly ifMatch: readonly number[] | undefined };

/** @throws not_found, version_mismatch, or duplicate when the new name is taken */
export async function updateCategory(tx: Tx, { id, changes, ifMatch }: CategoryUpdate): Promise<Category> {
  assertVersion(await Category.query(tx.knex).findById(id).forNoKeyUpdate(), ifMatch, 'category');
  return Category.query(tx.knex).patchAndFetchById(id, raised(changes));
}

/** @throws not_found, version_mismatch, or in_use while it has products */
export async function deleteCategory(tx: Tx, id: number, ifMatch: readonly number[] | undefined): Promise<void> {
  assertVersion(await Category.query(tx.knex).findById(id).forUpdate(), ifMatch, 'category');
  await Category.query(tx.knex).deleteById(id);
}
