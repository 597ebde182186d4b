import { faultInHeaders, firstFault, jsonOf, type Answer, type Excuse, type Fault } from './faults.ts';
import { categoryOf, isInOrder, meets, productOf, showCents, type Product, type ProductQuery, type Shelf } from './shelf.ts';

/** What the crowd has bought; stock shown is held against it. */
export type Sales = {
  /** Pieces of a product in orders that were acknowledged before the request in question was sent. */
  readonly acknowledged: (product: number) => number;
  /** Pieces anybody of the crowd may have taken by now. */
  readonly asked: (product: number) => number;
};

/** What is wrong with a 200 to GET /products/:id. Pure. */
export function faultInProduct(id: number, shelf: Shelf, sales: Sales, answer: Answer): Fault | undefined {
  const parsed = jsonOf(answer.body);
  if ('fault' in parsed) return { ...parsed.fault, product: id };
  const product = productOf(parsed.json);
  if (product === undefined) return { rule: 'answer-shape', detail: `no product: ${answer.body.slice(0, 120)}`, product: id };
  const isOther = product.id !== id;
  if (isOther) return { rule: 'product-content', detail: `product ${product.id} was answered instead of ${id}`, product: id };
  const known = shelf.product(id);
  return firstFault(
    () => faultInHeaders(answer, { etag: true }),
    () => known && faultInContent(product, known),
    () => known && faultInStock(product, known, sales),
  );
}

/** What is wrong with a 200 to a list of products. Pure. */
export function faultInProducts(query: ProductQuery, shelf: Shelf, sales: Sales, answer: Answer): Fault | undefined {
  const parsed = jsonOf(answer.body);
  if ('fault' in parsed) return parsed.fault;
  if (!Array.isArray(parsed.json)) return { rule: 'answer-shape', detail: `no list: ${answer.body.slice(0, 120)}` };
  const products = parsed.json.map(productOf);
  if (!isWhole(products)) {
    const odd = JSON.stringify(parsed.json[products.indexOf(undefined)]);
    return { rule: 'answer-shape', detail: `an item is no product: ${odd.slice(0, 120)}` };
  }
  return firstFault(
    () => faultInHeaders(answer),
    () => faultInOrder(products, query),
    () => faultInFilter(products, query),
    () => faultInMembers(products, query, shelf, sales),
    ...products.flatMap((product) => {
      const known = shelf.product(product.id);
      return known === undefined ? [] : [() => faultInContent(product, known), () => faultInStock(product, known, sales)];
    }),
  );
}

const isWhole = (products: readonly (Product | undefined)[]): products is Product[] => !products.includes(undefined);

/** What is wrong with a 200 to GET /categories. Pure. */
export function faultInCategories({ categories }: Shelf, answer: Answer): Fault | undefined {
  const parsed = jsonOf(answer.body);
  if ('fault' in parsed) return parsed.fault;
  const seen = Array.isArray(parsed.json) ? parsed.json.map(categoryOf) : [undefined];
  if (seen.includes(undefined)) return { rule: 'answer-shape', detail: `no list of categories: ${answer.body.slice(0, 120)}` };
  const isRight = JSON.stringify(seen) === JSON.stringify(categories);
  const wrong: Fault = {
    rule: 'list-members',
    detail: `${seen.length} categories other than the ${categories.length} there are`,
    unless: { change: 'edited' },
  };
  return faultInHeaders(answer) ?? (isRight ? undefined : wrong);
}

function faultInContent(seen: Product, known: Product): Fault | undefined {
  const { id: product } = seen;
  const unless = { change: 'edited', product } as const;
  if (seen.priceCents !== known.priceCents) {
    const detail = `product ${product} is shown at ${showCents(seen.priceCents)}, its price is ${showCents(known.priceCents)}`;
    return { rule: 'price-shown', detail, product, unless };
  }
  const changed = (['name', 'description', 'categoryId'] as const).find((field) => seen[field] !== known[field]);
  if (changed === undefined) return undefined;
  const detail = `${changed} of product ${product} is ${JSON.stringify(seen[changed])}, not ${JSON.stringify(known[changed])}`;
  return { rule: 'product-content', detail, product, unless };
}

function faultInStock(seen: Product, known: Product, sales: Sales): Fault | undefined {
  const { id: product, stock } = seen;
  if (stock < 0) return { rule: 'stock-shown', detail: `product ${product} has a stock of ${stock}`, product };
  const sold = sales.acknowledged(product);
  if (stock <= known.stock - sold) return undefined;
  const detail = `product ${product} is shown with ${stock} in stock; of ${known.stock} at the start ${sold} were ordered before this was asked`;
  return { rule: 'stock-shown', detail, product, unless: { change: 'restocked', product } };
}

function faultInOrder(products: readonly Product[], { sortBy }: ProductQuery): Fault | undefined {
  if (isInOrder(products, sortBy)) return undefined;
  const ids = products.map(({ id }) => id).join(', ');
  return { rule: 'list-order', detail: `asked for in order of ${sortBy ?? 'id'}, answered as products ${ids}` };
}

function faultInFilter(products: readonly Product[], query: ProductQuery): Fault | undefined {
  if (products.length > query.limit)
    return { rule: 'list-members', detail: `${products.length} items where at most ${query.limit} were asked for` };
  const odd = products.find((product) => !meets(product, query) || (query.inStockOnly === true && product.stock <= 0));
  if (odd === undefined) return undefined;
  const { id: product, name, priceCents, stock, categoryId } = odd;
  const detail = `asked for ${JSON.stringify(query)}, answered product ${product} (${name}, ${showCents(priceCents)}, category ${categoryId}, ${stock} in stock)`;
  return { rule: 'list-filter', detail, product };
}

function faultInMembers(products: readonly Product[], query: ProductQuery, shelf: Shelf, sales: Sales): Fault | undefined {
  const seen = products.map(({ id }) => id);
  const right = shelf.idsFor(query.inStockOnly === true ? { ...query, skip: 0, limit: Number.MAX_SAFE_INTEGER } : query);
  const accepts = query.inStockOnly === true ? isRightBut(shelf, sales, query) : isSame;
  if (right.some((ids) => accepts(seen, ids))) return undefined;
  const missing = right[0]?.find((id) => !seen.includes(id));
  // What is in stock changes with every order, also with those of which these buyers know nothing.
  const unless: Excuse =
    query.inStockOnly === true ? { change: 'bought', ...(missing !== undefined && { product: missing }) } : { change: 'edited' };
  const what = missing === undefined ? 'other products than there are' : `product ${missing} is missing`;
  const detail = `${JSON.stringify(query)}: ${what}; ${seen.length} items: ${seen.join(', ')}`;
  return { rule: 'list-members', detail, ...(missing !== undefined && { product: missing }), unless };
}

type Accepts = (seen: readonly number[], right: readonly number[]) => boolean;

const isSame: Accepts = (seen, right) => seen.length === right.length && seen.every((id, i) => id === right[i]);

/** Of those that match, only products that may be sold out by now can be missing; that moves the page too. */
function isRightBut(shelf: Shelf, sales: Sales, { skip, limit }: ProductQuery): Accepts {
  const isSure = (id: number): boolean => (shelf.product(id)?.stock ?? 0) > sales.asked(id);
  return (seen, right) => {
    const start = seen[0] === undefined ? right.length : right.indexOf(seen[0]);
    const sureBefore = right.slice(0, Math.max(0, start)).filter(isSure).length;
    if (start < 0 || sureBefore > skip || (seen.length > 0 && start < skip)) return false;
    let at = 0;
    for (const id of right.slice(start)) {
      if (seen[at] === id) at += 1;
      else if (at < limit && isSure(id)) return false;
    }
    return at === seen.length;
  };
}
