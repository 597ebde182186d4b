import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkBooks } from '#loadtest/scenarios/shop/check-books.ts';
import { claimsOf, type OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import type { Product } from '#loadtest/scenarios/shop/shelf.ts';
import type { BookRule, BooksToCheck, Ledger, StoredBooks, StoredOrder } from '#loadtest/scenarios/shop/stored-books.ts';

type Changeable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? Changeable<E>[] : T[K] };

/** A run of a right shop: what its buyers sent and were told, and what it stored. */
type Run = {
  attempts: Changeable<OrderAttempt>[];
  stored: Changeable<Ledger & { orders: StoredBooks['orders'] }>;
  products: readonly Product[];
  productsAfter: Changeable<Product>[];
};

const products: readonly Product[] = [1, 2, 3, 4, 5].map((id) => ({
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

/** Random histories of a shop without a fault, with every way in which a request may end. */
const run = fc.array(request, { minLength: 1, maxLength: 25 }).map((requests): Run => {
  const attempts: Changeable<OrderAttempt>[] = [];
  const orders: Changeable<StoredOrder>[] = [];
  const movements: Changeable<Ledger['movements'][number]>[] = [];
  let nextId = 1;
  for (const [index, { client, deliveryMethod, quantities, fate }] of requests.entries()) {
    const lines = quantities.map(([product, quantity]) => ({ product, quantity }));
    const asked = { key: `k-${index}`, client, deliveryMethod, lines, sentAtMs: index, endedAtMs: index + 1, requestId: `r-${index}` };
    const isStored = fate !== 'refused' && fate !== 'unknown and not';
    const stored = lines.map(({ product, quantity }) => ({
      id: nextId++,
      product,
      quantity,
      priceCents: priceOf(product),
      name: `Thing ${product}`,
    }));
    const totalCents = stored.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0);
    const order = nextId++;
    if (isStored) {
      orders.push({ id: order, client, totalCents, deliveryMethod, status: 1, version: 1, lines: stored });
      for (const { id: line, product, quantity } of stored) {
        movements.push({ id: nextId++, product, quantity: -quantity, reason: 'sale', order, line });
      }
    }
    const told = { ...asked, outcome: 'acknowledged', status: 201, order, totalCents } as const;
    const silent = { ...asked, outcome: 'unknown', status: null, order: null, totalCents: null } as const;
    if (fate.startsWith('unknown')) attempts.push(silent);
    if (fate === 'refused') attempts.push({ ...asked, outcome: 'refused', status: 409, order: null, totalCents: null });
    if (fate === 'placed' || fate === 'repeated' || fate === 'unknown, then told') attempts.push(told);
    if (fate === 'repeated') attempts.push(told);
  }
  return {
    attempts,
    stored: { orders, movements, strayMovements: [], products: stockAfter(orders) },
    products,
    productsAfter: structuredClone(products) as Changeable<Product>[],
  };
});

const priceOf = (product: number): number => products.find(({ id }) => id === product)?.priceCents ?? 0;

function stockAfter(orders: readonly Changeable<StoredOrder>[]) {
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

const booksOf = (
  { attempts, stored: { orders, ...ledger }, products: before, productsAfter: after }: Run,
  isShared = false,
): BooksToCheck => ({
  claims: claimsOf(attempts),
  stored: { orders, ledger },
  products: before,
  productsAfter: after,
  isShared,
});

const rulesIn = (books: BooksToCheck): BookRule[] => [...new Set(checkBooks(books).map(({ rule }) => rule))];

test('finds nothing in the books of a right shop, whatever the outcomes were', () => {
  fc.assert(
    fc.property(run, fc.boolean(), (made, isShared) => {
      expect(checkBooks(booksOf(made, isShared))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('one answer too many for an unknown outcome is one order too many', () => {
  fc.assert(
    fc.property(run, (made) => {
      const unknown = made.attempts.find(
        ({ outcome, key }) =>
          outcome === 'unknown' && !made.attempts.some((other) => other.key === key && other.outcome === 'acknowledged'),
      );
      fc.pre(unknown !== undefined);
      if (unknown === undefined) return;
      for (const id of [9_001, 9_002]) addOrder(made, id, unknown);
      expect(rulesIn(booksOf(made))).toContain('no-duplicate-orders');
    }),
  );
});

function addOrder(
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

const isOpenFor = ({ attempts }: Run, lines: OrderAttempt['lines']): boolean =>
  attempts.some((attempt) => attempt.outcome === 'unknown' && JSON.stringify(attempt.lines) === JSON.stringify(lines));

type Corruption = {
  readonly name: string;
  readonly rule: BookRule;
  /** What the anomaly must lead to. */
  readonly witness: 'order' | 'product' | 'key';
  /** @returns false when this run gives no occasion for it */
  readonly corrupt: (run: Run, pick: number) => boolean;
};

const acknowledged = ({ attempts, stored }: Run): Changeable<StoredOrder>[] =>
  stored.orders.filter(({ id }) => attempts.some(({ order }) => order === id));

/** Applies a change to one of some things, if there are any. */
function toOne<T>(things: readonly T[], pick: number, change: (thing: T) => void): boolean {
  const thing = things[pick % Math.max(1, things.length)];
  if (thing === undefined) return false;
  change(thing);
  return true;
}

const anOrder =
  (change: (order: Changeable<StoredOrder>, run: Run) => void): Corruption['corrupt'] =>
  (made, pick) =>
    toOne(acknowledged(made), pick, (order) => change(order, made));
const aMovement =
  (change: (movement: Changeable<Ledger['movements'][number]>, run: Run) => void): Corruption['corrupt'] =>
  (made, pick) =>
    toOne(made.stored.movements, pick, (movement) => change(movement, made));
const aProduct =
  (change: (product: Changeable<Ledger['products'][number]>, run: Run) => void): Corruption['corrupt'] =>
  (made, pick) =>
    toOne(made.stored.products, pick, (product) => change(product, made));

const corruptions: readonly Corruption[] = [
  {
    name: 'an acknowledged order is lost',
    rule: 'orders-kept',
    witness: 'order',
    corrupt: anOrder((order, { stored }) => {
      stored.orders = stored.orders.filter((other) => other !== order);
      stored.movements = stored.movements.filter((movement) => movement.order !== order.id);
      stored.products = stockAfter(stored.orders);
    }),
  },
  { name: 'an order belongs to another', rule: 'orders-as-asked', witness: 'order', corrupt: anOrder((order) => (order.client += 1)) },
  { name: 'a quantity is one more', rule: 'orders-as-asked', witness: 'order', corrupt: anOrder(({ lines }) => (lines[0]!.quantity += 1)) },
  {
    name: 'a line is another product',
    rule: 'orders-as-asked',
    witness: 'order',
    corrupt: anOrder(({ lines }) => (lines[0]!.product += 10)),
  },
  { name: 'a line is lost', rule: 'orders-as-asked', witness: 'order', corrupt: anOrder(({ lines }) => lines.pop()) },
  {
    name: 'the delivery is another',
    rule: 'orders-as-asked',
    witness: 'order',
    corrupt: anOrder((order) => (order.deliveryMethod = (order.deliveryMethod % 3) + 1)),
  },
  {
    name: 'a stored total is off by a cent',
    rule: 'orders-as-answered',
    witness: 'order',
    corrupt: anOrder((order) => (order.totalCents += 1)),
  },
  {
    name: 'a line is charged a cent more, and the total with it',
    rule: 'orders-as-answered',
    witness: 'order',
    corrupt: anOrder((order) => {
      order.lines[0]!.priceCents += 1;
      order.totalCents += order.lines[0]!.quantity;
    }),
  },
  {
    name: 'a line has another name',
    rule: 'orders-as-answered',
    witness: 'product',
    corrupt: anOrder(({ lines }) => (lines[0]!.name = 'Other')),
  },
  {
    name: 'a key got two orders, both acknowledged',
    rule: 'no-duplicate-orders',
    witness: 'key',
    corrupt: (made, pick) =>
      toOne(
        made.attempts.filter(({ outcome }) => outcome === 'acknowledged'),
        pick,
        (attempt) => {
          addOrder(made, 9_001, attempt);
          made.attempts.push({ ...attempt, order: 9_001 });
        },
      ),
  },
  {
    name: 'a repeated order was made twice, unseen',
    rule: 'no-duplicate-orders',
    witness: 'order',
    corrupt: (made, pick) =>
      toOne(
        // Beside one of unknown outcome and the same content, a second order would be that one's.
        made.attempts.filter(({ outcome, lines }) => outcome === 'acknowledged' && !isOpenFor(made, lines)),
        pick,
        (attempt) => addOrder(made, 9_001, attempt),
      ),
  },
  {
    name: 'two keys got the same order',
    rule: 'no-duplicate-orders',
    witness: 'order',
    corrupt: (made, pick) =>
      toOne(
        made.attempts.filter(({ outcome }) => outcome === 'acknowledged'),
        pick,
        (attempt) => made.attempts.push({ ...attempt, key: 'k-other' }),
      ),
  },
  {
    name: 'an order nobody asked for',
    rule: 'orders-asked-for',
    witness: 'order',
    corrupt: (made) => {
      addOrder(made, 9_001, { client: 101, deliveryMethod: 1, lines: [{ product: 1, quantity: 77 }] });
      return true;
    },
  },
  {
    name: 'a refused order exists all the same',
    rule: 'orders-asked-for',
    witness: 'order',
    corrupt: (made, pick) => {
      const attempt = {
        ...(made.attempts[pick % made.attempts.length] as OrderAttempt),
        key: 'k-no',
        lines: [{ product: 2, quantity: 9 }],
      };
      made.attempts.push({ ...attempt, lines: [...attempt.lines], outcome: 'refused', order: null, totalCents: null, status: 409 });
      addOrder(made, 9_001, attempt);
      return true;
    },
  },
  {
    name: 'a sale moved nothing at all',
    rule: 'stock-moved',
    witness: 'order',
    corrupt: aMovement((movement, { stored }) => {
      stored.movements = stored.movements.filter((other) => other !== movement);
      for (const product of stored.products.filter(({ id }) => id === movement.product)) {
        product.stock -= movement.quantity;
        product.moved -= movement.quantity;
      }
    }),
  },
  {
    name: 'a sale moved twice',
    rule: 'stock-moved',
    witness: 'order',
    corrupt: aMovement((movement, { stored }) => {
      stored.movements.push({ ...movement, id: 99_999 });
      for (const product of stored.products.filter(({ id }) => id === movement.product)) {
        product.stock += movement.quantity;
        product.moved += movement.quantity;
      }
    }),
  },
  {
    name: 'a movement is one piece short',
    rule: 'stock-moved',
    witness: 'order',
    corrupt: aMovement((movement) => (movement.quantity += 1)),
  },
  {
    name: 'a movement is of another product',
    rule: 'stock-moved',
    witness: 'order',
    corrupt: aMovement((movement) => (movement.product += 10)),
  },
  { name: 'a movement names no line', rule: 'stock-moved', witness: 'order', corrupt: aMovement((movement) => (movement.line = null)) },
  {
    name: 'pieces left for no order',
    rule: 'stock-moved',
    witness: 'product',
    corrupt: aMovement((movement, { stored }) => void stored.strayMovements.push({ ...movement, order: null, line: null })),
  },
  { name: 'stock without ledger', rule: 'stock-ledger', witness: 'product', corrupt: aProduct((product) => (product.stock -= 1)) },
  { name: 'ledger without stock', rule: 'stock-ledger', witness: 'product', corrupt: aProduct((product) => (product.moved -= 1)) },
  {
    name: 'stock and ledger moved for nothing',
    rule: 'stock-conserved',
    witness: 'product',
    corrupt: aProduct((product) => {
      product.stock -= 2;
      product.moved -= 2;
    }),
  },
  {
    name: 'a product is gone',
    rule: 'stock-conserved',
    witness: 'product',
    corrupt: aProduct((product, { stored }) => void (stored.products = stored.products.filter((other) => other !== product))),
  },
  {
    name: 'more was sold than there was',
    rule: 'no-oversell',
    witness: 'product',
    corrupt: aProduct((product) => {
      product.stock = -1;
      product.moved = -1;
    }),
  },
];

describe('names, with a witness,', () => {
  test.each(corruptions)('$name', ({ rule, witness, corrupt }) => {
    let occasions = 0;
    fc.assert(
      fc.property(run, fc.nat(), (made, pick) => {
        const changed = structuredClone(made);
        if (!corrupt(changed, pick)) return;
        occasions += 1;
        const found = checkBooks(booksOf(changed)).filter((anomaly) => anomaly.rule === rule);
        expect(found).not.toEqual([]);
        expect(found[0]?.[witness]).toBeDefined();
      }),
    );
    expect(occasions).toBeGreaterThan(20);
  });
});

/** One order of two pieces, placed and answered rightly. */
const one = (): Run => {
  const made: Run = {
    attempts: [],
    stored: { orders: [], movements: [], strayMovements: [], products: [] },
    products,
    productsAfter: structuredClone(products) as Changeable<Product>[],
  };
  const asked = { key: 'k', client: 101, deliveryMethod: 1, lines: [{ product: 1, quantity: 2 }] };
  addOrder(made, 7, asked);
  made.attempts.push({
    ...asked,
    sentAtMs: 0,
    endedAtMs: 1,
    outcome: 'acknowledged',
    status: 201,
    requestId: 'r',
    order: 7,
    totalCents: 2_198,
  });
  return made;
};

describe('in a shop that others use too', () => {
  test('what others buy is no anomaly', () => {
    const made = one();
    for (const product of made.stored.products) {
      product.stock -= 7;
      product.moved -= 7;
    }
    made.stored.strayMovements.push({ id: 1, product: 1, quantity: -7, reason: 'sale', order: null, line: null });
    expect(checkBooks(booksOf(made, true))).toEqual([]);
    expect(rulesIn(booksOf(made, false))).toContain('stock-conserved');
  });

  test('a price that staff changed meanwhile is no anomaly; one that nobody changed is', () => {
    const made = one();
    made.stored.orders[0]!.lines[0]!.priceCents = 500;
    made.stored.orders[0]!.totalCents = 1_000;
    made.attempts[0]!.totalCents = 1_000;
    expect(rulesIn(booksOf(made, true))).toEqual(['orders-as-answered']);
    made.productsAfter[0]!.priceCents = 500;
    expect(checkBooks(booksOf(made, true))).toEqual([]);
  });

  test('an order that staff canceled has its pieces back', () => {
    const made = one();
    made.stored.orders[0]!.status = 4;
    made.stored.movements.push({ id: 2, product: 1, quantity: 2, reason: 'return', order: 7, line: 70 });
    expect(checkBooks(booksOf(made, true))).toEqual([]);
  });
});

test('an acknowledgement with another total than the stored one is named with its key and request', () => {
  const made: Run = {
    attempts: [],
    stored: { orders: [], movements: [], strayMovements: [], products: [] },
    products,
    productsAfter: structuredClone(products) as Changeable<Product>[],
  };
  const asked = { key: 'k-1', client: 101, deliveryMethod: 1, lines: [{ product: 1, quantity: 1 }] };
  addOrder(made, 7, asked);
  made.attempts.push({
    ...asked,
    sentAtMs: 0,
    endedAtMs: 1,
    outcome: 'acknowledged',
    status: 201,
    requestId: 'r-9',
    order: 7,
    totalCents: 1_100,
  });
  expect(checkBooks(booksOf(made))).toEqual([
    {
      rule: 'orders-as-answered',
      detail: 'order 7 was acknowledged with a total of 11.00 and is stored with 10.99',
      key: 'k-1',
      order: 7,
      requestId: 'r-9',
    },
  ]);
});
