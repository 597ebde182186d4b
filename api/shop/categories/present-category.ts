/** A category's columns, as numbers or as PostgreSQL's text. */
export type CategoryRow = { readonly id_key: number | string; readonly name: string; readonly version: number | string };

/** The public JSON of a category. */
export function presentCategory({ id_key, name, version }: CategoryRow): string {
  return `{"id_key":${id_key},"name":${JSON.stringify(name)},"version":${version}}`;
}
