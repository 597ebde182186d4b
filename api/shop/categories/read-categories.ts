import type { Pool } from 'pg';
import { runStatement, textStatement } from '../../db/statement.ts';
import { ApiError } from '../../errors.ts';

type TextRow = { readonly id_key: string; readonly name: string; readonly version: string };

const oneCategory = textStatement<TextRow>('category-one', 'SELECT id_key, name, version FROM categories WHERE id_key = $1');
const categoryPage = textStatement<TextRow>(
  'category-page',
  'SELECT id_key, name, version FROM categories ORDER BY id_key LIMIT $1 OFFSET $2',
);

/** @throws not_found */
export async function readCategory(pool: Pool, id: number): Promise<TextRow> {
  const [row] = await runStatement(pool, oneCategory, [id]);
  if (!row) throw new ApiError('not_found', 'The category does not exist.');
  return row;
}

export function readCategories(pool: Pool, { skip, limit }: { readonly skip: number; readonly limit: number }): Promise<TextRow[]> {
  return runStatement(pool, categoryPage, [limit, skip]);
}
