import * as fc from 'fast-check';
import { claimsOf, type OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import type { Product } from '#loadtest/scenarios/shop/shelf.ts';
import type { BooksToCheck, Ledger, StoredBooks, StoredOrder } from '#loadtest/scenarios/shop/stored-books.ts';

export type Changeable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? Changeable<E>[] : T[K] };

/** A run of a right shop: what its buyers sent and were told, and what it stored. */
export type Run = {
  attempts: Changeable<OrderAttempt>[];
  stored: Changeable<Ledger & { orders: StoredBooks['orders'] }>;
  products: readonly Product[];
  productsAfter: Changeable<Product>[];
};

export const products: readonly Product[] = [1, 2, 3, 4, 5].map((id) => ({
  id,
  name: `Thing ${id}`,
  description: null,
  priceCents: 1_000 * id + 99,
  stock: 500,
  categoryId: 1,
  version: 1,
}));

const request = fc.record({
  client: fc.integer({ min: 101, max: 104 }),
  deliveryMethod: fc.integer({ min: 1, max: 3 }),
  quantities: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 })), {
    selector: ([product]) => product,
    minLength: 1,
    maxLength: 3,
  }),
  fate: fc.constantFrom('placed', 'placed', 'placed', 'repeated', 'refused', 'unknown and placed', 'unknown and not', 'unknown, then told'),
});

const emptyRun = (): Run => ({
  attempts: [],
  stored: { orders: [], movements: [], strayMovements: [], products: [], returns: [] },
  products,
  productsAfter: structuredClone(products) as Changeable<Product>[],
});

/** Random histories of a shop without a fault, with every way in which a request may end. */
export const run = fc.array(request, { minLength: 1, maxLength: 25 }).map((requests): Run => {
  const made = emptyRun();
  for (const [index, { client, deliveryMethod, quantities, fate }] of requests.entries()) {
    const lines = quantities.map(([product, quantity]) => ({ product, quantity }));
    const asked = { key: `k-${index}`, client, deliveryMethod, lines, sentAtMs: index, endedAtMs: index + 1, requestId: `r-${index}` };
    const order = index + 1;
    if (fate !== 'refused' && fate !== 'unknown and not') addOrder(made, order, asked);
    const totalCents = lines.reduce((sum, { product, quantity }) => sum + quantity * priceOf(product), 0);
    const told = { ...asked, outcome: 'acknowledged', status: 201, order, totalCents } as const;
    if (fate.startsWith('unknown')) made.attempts.push({ ...asked, ...silence });
    if (fate === 'refused') made.attempts.push({ ...asked, ...silence, outcome: 'refused', status: 409 });
    if (fate === 'placed' || fate === 'repeated' || fate === 'unknown, then told') made.attempts.push(told);
    if (fate === 'repeated') made.attempts.push(told);
  }
  return { ...made, stored: { ...made.stored, products: stockAfter(made.stored.orders) } };
});

/** What a buyer knows of a request that got no answer. */
export const silence = { outcome: 'unknown', status: null, order: null, totalCents: null } as const;

const priceOf = (product: number): number => products.find(({ id }) => id === product)?.priceCents ?? 0;

export function stockAfter(orders: readonly Changeable<StoredOrder>[]) {
  const sold = (product: number): number =>
    orders.flatMap(({ lines }) => lines).reduce((sum, line) => sum + (line.product === product ? line.quantity : 0), 0);
  return products.map(({ id, stock }) => ({
    id,
    stock: stock - sold(id),
    moved: stock - sold(id),
    restocked: 0,
    restocks: 0,
  }));
}

export const booksOf = (
  { attempts, stored: { orders, ...ledger }, products: before, productsAfter: after }: Run,
  isShared = false,
): BooksToCheck => ({
  claims: claimsOf(attempts),
  stored: { orders, ledger },
  products: before,
  productsAfter: after,
  isShared,
});

export function addOrder(
  { stored }: Run,
  id: number,
  { client, deliveryMethod, lines }: Pick<OrderAttempt, 'client' | 'deliveryMethod' | 'lines'>,
): void {
  const own = lines.map(({ product, quantity }, i) => ({
    id: 10 * id + i,
    product,
    quantity,
    priceCents: priceOf(product),
    name: `Thing ${product}`,
  }));
  stored.orders.push({
    id,
    client,
    deliveryMethod,
    totalCents: own.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0),
    status: 1,
    version: 1,
    lines: own,
  });
  for (const { id: line, product, quantity } of own)
    stored.movements.push({ id: 100 * line, product, quantity: -quantity, reason: 'sale', order: id, line });
  stored.products = stockAfter(stored.orders);
}

export type Change = (made: Run, order: Changeable<StoredOrder>, attempt: Changeable<OrderAttempt>) => void;

/** The run of one order of two pieces, placed and answered rightly, with something changed. */
export function oneWith(change: Change): Run {
  const made = emptyRun();
  const asked = { key: 'k', client: 101, deliveryMethod: 1, lines: [{ product: 1, quantity: 2 }] };
  addOrder(made, 7, asked);
  const told = { outcome: 'acknowledged', status: 201, requestId: 'r', order: 7, totalCents: 2_198 } as const;
  made.attempts.push({ ...asked, ...told, sentAtMs: 0, endedAtMs: 1 });
  change(made, made.stored.orders[0]!, made.attempts[0]!);
  return made;
}
