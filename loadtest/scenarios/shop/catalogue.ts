import type { Catalogue } from './journey.ts';
import type { HttpClient } from '../../targets/http-client.ts';
import { SetUpError } from './clients.ts';

type Product = { readonly id_key: number; readonly name: string; readonly stock: number };

const pageSize = 1_000;
const maxProducts = 10_000;
const maxWords = 50;
/** Enough that a run seldom sells a product out. */
const plentyInStock = 50;

/**
 * What there is to see and buy, read once before the run.
 * @throws {SetUpError} when there is nothing to look at, or nothing in stock.
 */
export async function readCatalogue(http: HttpClient): Promise<Catalogue> {
  const products: Product[] = [];
  for (let skip = 0; skip < maxProducts; skip += pageSize) {
    const page = (await list(http, `/api/v1/products?skip=${skip}&limit=${pageSize}`)) as Product[];
    products.push(...page);
    if (page.length < pageSize) break;
  }
  const categories = (await list(http, `/api/v1/categories?limit=${pageSize}`)) as { id_key: number }[];
  return catalogueOf(
    products,
    categories.map(({ id_key: id }) => id),
    http.origin,
  );
}

/** Pure. @throws {SetUpError} */
export function catalogueOf(products: readonly Product[], categoryIds: readonly number[], origin: string): Catalogue {
  const plenty = products.filter(({ stock }) => stock >= plentyInStock);
  const orderable = plenty.length >= 10 ? plenty : products.filter(({ stock }) => stock > 0);
  if (orderable.length === 0) throw new SetUpError(`${origin} has no product in stock, so that nothing could be ordered`);
  const words = new Set(products.flatMap(({ name }) => name.toLowerCase().match(/[a-z]{4,}/g) ?? []));
  return {
    productIds: products.map(({ id_key: id }) => id),
    orderableIds: orderable.map(({ id_key: id }) => id),
    categoryIds,
    words: [...words].toSorted().slice(0, maxWords),
  };
}

async function list(http: HttpClient, path: string): Promise<unknown[]> {
  const { status, json } = await http.send({ method: 'GET', path });
  if (status === 200 && Array.isArray(json)) return json;
  throw new SetUpError(`${http.origin} does not answer GET ${path} with a list: ${status}`);
}
