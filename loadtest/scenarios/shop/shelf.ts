/** A product as the shop shows it; money in whole cents. */
export type Product = {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  readonly priceCents: number;
  readonly stock: number;
  readonly categoryId: number | null;
  readonly version: number;
};

export type Category = { readonly id: number; readonly name: string };

/** What stands in the shop, in order of ids. Plain data: it is read once before a run and handed to every process. */
export type Goods = { readonly products: readonly Product[]; readonly categories: readonly Category[] };

export const sortings = ['price_asc', 'price_desc', 'name'] as const;

/** What a list is asked for. Without a sorting it is in order of ids. */
export type ProductQuery = {
  readonly skip: number;
  readonly limit: number;
  readonly sortBy?: (typeof sortings)[number];
  readonly categoryId?: number;
  /** Part of the name, in any case. */
  readonly search?: string;
  readonly minPriceCents?: number;
  readonly maxPriceCents?: number;
  readonly inStockOnly?: boolean;
};

/** The cents of a JSON number with at most two places; undefined for anything else, such as 39.800000000000004. */
export function centsOf(amount: unknown): number | undefined {
  if (typeof amount !== 'number') return undefined;
  const [, whole = '', places = ''] = /^(\d+)(?:\.(\d{1,2}))?$/.exec(String(amount)) ?? [];
  return whole === '' ? undefined : Number(whole + places.padEnd(2, '0'));
}

/** Cents for people: 1990 → 19.90. */
export const showCents = (cents: number): string => (cents / 100).toFixed(2);

/** A product of the shop's JSON; undefined when a member is missing or of another kind. Members not known are let be. */
export function productOf(json: unknown): Product | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { id_key: id, name, description, price, stock, category_id: categoryId, version } = json as Record<string, unknown>;
  const priceCents = centsOf(price);
  const isWhole = [id, stock, version].every((value) => Number.isSafeInteger(value));
  const isText = typeof name === 'string' && (description === null || typeof description === 'string');
  if (!isWhole || !isText || priceCents === undefined || !(categoryId === null || Number.isSafeInteger(categoryId))) return undefined;
  return { id, name, description, priceCents, stock, categoryId, version } as Product;
}

export function categoryOf(json: unknown): Category | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { id_key: id, name } = json as Record<string, unknown>;
  return typeof id === 'number' && Number.isSafeInteger(id) && typeof name === 'string' ? { id, name } : undefined;
}

/** The goods indexed, to answer what a right list would be. */
export type Shelf = Goods & {
  readonly product: (id: number) => Product | undefined;
  /** The ids a right answer has, in each order that is right: databases put names in order by different rules. */
  readonly idsFor: (query: ProductQuery) => readonly (readonly number[])[];
};

export function createShelf({ products, categories }: Goods): Shelf {
  const byId = new Map(products.map((product) => [product.id, product]));
  const inOrder = new Map<ProductQuery['sortBy'], readonly (readonly Product[])[]>();
  const ordersBy = (sortBy: ProductQuery['sortBy']): readonly (readonly Product[])[] => {
    const known = inOrder.get(sortBy) ?? comparisons(sortBy).map((compare) => products.toSorted((a, b) => compare(a, b) || a.id - b.id));
    inOrder.set(sortBy, known);
    return known;
  };
  return {
    products,
    categories,
    product: (id) => byId.get(id),
    idsFor: (query) => {
      const { skip, limit, sortBy } = query;
      if (sortBy === undefined && isWhole(query)) return [products.slice(skip, skip + limit).map(({ id }) => id)];
      const matching = new Set(products.filter((product) => meets(product, query)));
      return ordersBy(sortBy).map((ordered) =>
        ordered
          .filter((product) => matching.has(product))
          .slice(skip, skip + limit)
          .map(({ id }) => id),
      );
    },
  };
}

/** Whether nothing but a page is asked for. */
const isWhole = ({ categoryId, search, minPriceCents, maxPriceCents }: ProductQuery): boolean =>
  [categoryId, search, minPriceCents, maxPriceCents].every((condition) => condition === undefined);

/** Whether a product may stand in the answer, as far as that does not change with every order: stock is not looked at. */
export function meets({ name, priceCents, categoryId }: Product, query: ProductQuery): boolean {
  if (query.categoryId !== undefined && categoryId !== query.categoryId) return false;
  if (query.minPriceCents !== undefined && priceCents < query.minPriceCents) return false;
  if (query.maxPriceCents !== undefined && priceCents > query.maxPriceCents) return false;
  return query.search === undefined || name.toLowerCase().includes(query.search.toLowerCase());
}

/** Whether products stand in the order asked for, ids deciding among equals. */
export function isInOrder(products: readonly Product[], sortBy: ProductQuery['sortBy']): boolean {
  return comparisons(sortBy).some((compare) =>
    products.every((product, i) => {
      const before = products[i - 1];
      return before === undefined || (compare(before, product) || before.id - product.id) < 0;
    }),
  );
}

type Compare = (a: Product, b: Product) => number;

const plain = new Intl.Collator('en');
const lettersOnly = new Intl.Collator('en', { ignorePunctuation: true });
/** By code points (collation C), by language (ICU), and by language with spaces counting last (glibc). */
const byName: readonly Compare[] = [
  (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  (a, b) => plain.compare(a.name, b.name),
  (a, b) => lettersOnly.compare(a.name.replaceAll(' ', ''), b.name.replaceAll(' ', '')) || plain.compare(a.name, b.name),
];

function comparisons(sortBy: ProductQuery['sortBy']): readonly Compare[] {
  if (sortBy === undefined) return [() => 0];
  if (sortBy === 'price_asc') return [(a, b) => a.priceCents - b.priceCents];
  if (sortBy === 'price_desc') return [(a, b) => b.priceCents - a.priceCents];
  return byName;
}
