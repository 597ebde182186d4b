import type { HttpClient } from '../../targets/http-client.ts';
import { AppError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';
import { SetUpError } from '../../targets/set-up.ts';
import { categoryOf, productOf, type Goods } from './shelf.ts';

/** What there is to see and buy, read once before the run, so that choices depend on the seed and not on answers. */
export type Catalogue = {
  readonly goods: Goods;
  /** Ids of products with enough stock to be bought all through a run; first those of which there are most. */
  readonly orderable: readonly number[];
  /** Words that occur in product names. */
  readonly words: readonly string[];
};

const pageSize = 1_000;
const maxProducts = 10_000;
const maxWords = 50;
/** Enough that a run seldom sells a product out. */
const plentyInStock = 50;

/** Something answers at the target, and it is something else. */
class NoShopError extends AppError {
  readonly code = 'LOADTEST_NO_SHOP';
  override readonly exitCode = EXIT.unreachable;
}

/** @throws {SetUpError} when a list cannot be read, or holds anything else than the shop's products and categories */
export async function readGoods(http: HttpClient): Promise<Goods> {
  const products = [];
  for (let skip = 0; skip < maxProducts; skip += pageSize) {
    const page = await list(http, `/api/v1/products?skip=${skip}&limit=${pageSize}`, productOf);
    products.push(...page);
    if (page.length < pageSize) break;
  }
  return { products, categories: await list(http, `/api/v1/categories?limit=${pageSize}`, categoryOf) };
}

/** Pure. @throws {SetUpError} when there is nothing to look at, or nothing in stock */
export function catalogueOf(goods: Goods, origin: string): Catalogue {
  const { products } = goods;
  const plenty = products.filter(({ stock }) => stock >= plentyInStock);
  const orderable = plenty.length >= 10 ? plenty : products.filter(({ stock }) => stock > 0);
  if (orderable.length === 0) throw new SetUpError(`${origin} has no product in stock, so that nothing could be ordered`);
  const words = new Set(products.flatMap(({ name }) => name.toLowerCase().match(/[a-z]{4,}/g) ?? []));
  return {
    goods,
    orderable: orderable.toSorted((a, b) => b.stock - a.stock).map(({ id }) => id),
    words: [...words].toSorted().slice(0, maxWords),
  };
}

async function list<T>(http: HttpClient, path: string, itemOf: (json: unknown) => T | undefined): Promise<T[]> {
  const { status, json } = await http.send({ method: 'GET', path });
  if (status === 404) throw new NoShopError(`${http.origin} is no shop of this project: GET ${path} is answered 404`);
  if (status !== 200 || !Array.isArray(json)) throw new SetUpError(`${http.origin} does not answer GET ${path} with a list: ${status}`);
  return json.map((item) => {
    const known = itemOf(item);
    if (known === undefined) throw new SetUpError(`${http.origin} answers GET ${path} with ${JSON.stringify(item).slice(0, 120)} in it`);
    return known;
  });
}
