import { decimalOf } from '../money.ts';

type Numeral = number | string;

/** A product's columns, as numbers or as PostgreSQL's text. */
export type ProductRow = {
  readonly id_key: Numeral;
  readonly name: string;
  readonly description: string | null;
  readonly price_cents: Numeral;
  readonly stock: Numeral;
  readonly category_id: Numeral | null;
  readonly version: Numeral;
};

/** The columns `presentProduct` needs. */
export const productColumns = ['id_key', 'name', 'description', 'price_cents', 'stock', 'category_id', 'version'] as const;

/** The public JSON of a product; written out by hand, since lists of it are most of what the API answers. */
export function presentProduct(product: ProductRow): string {
  const { id_key, name, description, price_cents, stock, category_id, version } = product;
  return `{"id_key":${id_key},"name":${JSON.stringify(name)},"description":${JSON.stringify(description)},"price":${decimalOf(price_cents)},"stock":${stock},"category_id":${category_id},"version":${version}}`;
}
