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

test('one order more than the requests without an answer can have made is one too many', () => {
  fc.assert(
    fc.property(run, (made) => {
      const open = made.attempts.filter(
        ({ outcome, key }) =>
          outcome === 'unknown' && !made.attempts.some((other) => other.key === key && other.outcome === 'acknowledged'),
      );
      const [unanswered] = open;
      fc.pre(unanswered !== undefined);
      if (unanswered === undefined) return;
      const alike = open.filter((other) => JSON.stringify(contentOf(other)) === JSON.stringify(contentOf(unanswered)));
      for (const index of [unanswered, ...alike].keys()) addOrder(made, 9_001 + index, unanswered);
      expect(rulesIn(booksOf(made))).toContain('no-duplicate-orders');
    }),
    { numRuns: 500 },
  );
});

const contentOf = ({ client, deliveryMethod, lines }: OrderAttempt) => ({ client, deliveryMethod, lines });

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

type Change = (made: Run, order: Changeable<StoredOrder>, attempt: Changeable<OrderAttempt>) => void;

/** The run of one order, with something changed. */
function oneWith(change: Change): Run {
  const made = one();
  change(made, made.stored.orders[0]!, made.attempts[0]!);
  return made;
}

const silence = { outcome: 'unknown', status: null, order: null, totalCents: null } as const;

const chargeOtherwise: Change = (_made, order, attempt) => {
  order.lines[0]!.priceCents = 500;
  order.totalCents = 1_000;
  attempt.totalCents = 1_000;
};

const foundInOrders = (change: Change) => {
  const books = booksOf(oneWith(change));
  return checkBooks({ ...books, stored: { ...books.stored, ledger: null } });
};

describe('of the orders it says', () => {
  const asTold = { key: 'k', order: 7, requestId: 'r' };

  test('which one is lost', () => {
    expect(foundInOrders(({ stored }) => (stored.orders = []))).toStrictEqual([
      { rule: 'orders-kept', detail: 'order 7 was acknowledged and does not exist', ...asTold },
    ]);
  });

  test('nothing of a request id that was not answered', () => {
    expect(
      foundInOrders(({ stored }, _order, attempt) => {
        stored.orders = [];
        attempt.requestId = null;
      }),
    ).toStrictEqual([{ rule: 'orders-kept', detail: 'order 7 was acknowledged and does not exist', key: 'k', order: 7 }]);
  });

  test.each<[string, (order: Changeable<StoredOrder>) => void]>([
    ['client 102, asked by 101', (order) => (order.client = 102)],
    ['delivery_method 3, asked 1', (order) => (order.deliveryMethod = 3)],
    ['no lines, asked 2 × product 1', (order) => (order.lines = [])],
    ['3 × product 1, asked 2 × product 1', ({ lines }) => (lines[0]!.quantity = 3)],
    [
      '2 × product 1, 1 × product 3, asked 2 × product 1',
      ({ lines }) => lines.push({ id: 71, product: 3, quantity: 1, priceCents: 3_099, name: 'Thing 3' }),
    ],
  ])('what is stored otherwise than asked: %s', (differs, change) => {
    expect(
      foundInOrders((_made, order, attempt) => {
        change(order);
        order.totalCents = order.lines.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0);
        attempt.totalCents = order.totalCents;
      }),
    ).toStrictEqual([{ rule: 'orders-as-asked', detail: `order 7 is stored with ${differs}`, ...asTold }]);
  });

  test('that it is neither as asked nor as answered', () => {
    expect(
      foundInOrders((_made, order, attempt) => {
        order.client = 102;
        attempt.totalCents = 2_200;
      }),
    ).toStrictEqual([
      { rule: 'orders-as-asked', detail: 'order 7 is stored with client 102, asked by 101', ...asTold },
      {
        rule: 'orders-as-answered',
        detail: 'order 7 was acknowledged with a total of 22.00 and is stored with 21.98',
        ...asTold,
      },
    ]);
  });

  test('nothing of a total that was not answered', () => {
    expect(foundInOrders((_made, _order, attempt) => (attempt.totalCents = null))).toEqual([]);
  });

  test('which key has two', () => {
    expect(
      foundInOrders((made, _order, attempt) => {
        addOrder(made, 8, attempt);
        made.attempts.push({ ...attempt, order: 8 });
      }),
    ).toStrictEqual([{ rule: 'no-duplicate-orders', detail: 'key k was answered with orders 7 and 8', key: 'k', order: 8 }]);
  });

  test('which keys share one', () => {
    expect(foundInOrders(({ attempts }, _order, attempt) => attempts.push({ ...attempt, key: 'k-2' }))).toStrictEqual([
      { rule: 'no-duplicate-orders', detail: 'order 7 was the answer to the keys k and k-2', key: 'k-2', order: 7 },
    ]);
  });

  test('beside which acknowledged one another was made, though a like request got no answer', () => {
    expect(
      foundInOrders((made, _order, attempt) => {
        made.attempts.unshift({ ...attempt, ...silence, key: 'k-0' });
        addOrder(made, 8, attempt);
        addOrder(made, 9, attempt);
      }),
    ).toStrictEqual([
      {
        rule: 'no-duplicate-orders',
        detail: 'order 9 of client 101 (2 × product 1) exists beside order 7 for the one request with key k',
        key: 'k',
        order: 9,
      },
    ]);
  });

  test('that a request without an answer made two', () => {
    expect(
      foundInOrders((made, _order, attempt) => {
        made.attempts = [
          { ...attempt, ...silence, outcome: 'refused', key: 'k-no' },
          { ...attempt, ...silence },
        ];
        addOrder(made, 8, attempt);
      }),
    ).toStrictEqual([
      {
        rule: 'no-duplicate-orders',
        detail: 'order 8 of client 101 (2 × product 1) exists beside another for the one request with key k',
        key: 'k',
        order: 8,
      },
    ]);
  });

  test('which refused one exists', () => {
    expect(foundInOrders((_made, _order, attempt) => Object.assign(attempt, silence, { outcome: 'refused' }))).toStrictEqual([
      {
        rule: 'orders-asked-for',
        detail: 'order 7 of client 101 (2 × product 1) exists, though it was refused',
        key: 'k',
        order: 7,
      },
    ]);
  });

  test.each<[string, Partial<Changeable<OrderAttempt>>]>([
    ['another client', { client: 102 }],
    ['another delivery', { deliveryMethod: 2 }],
    ['another quantity', { lines: [{ product: 1, quantity: 3 }] }],
    ['another product', { lines: [{ product: 2, quantity: 2 }] }],
  ])('that a request without an answer for %s does not explain one', (_what, other) => {
    expect(foundInOrders((_made, _order, attempt) => Object.assign(attempt, silence, other))).toStrictEqual([
      {
        rule: 'orders-asked-for',
        detail: 'order 7 of client 101 (2 × product 1) exists and nobody asked for it',
        // The same buyer's request of unknown outcome is where to look first.
        ...(other.client === undefined && { key: 'k' }),
        order: 7,
      },
    ]);
  });

  test('no key where the buyer was always answered', () => {
    expect(
      foundInOrders((made) => addOrder(made, 8, { client: 101, deliveryMethod: 1, lines: [{ product: 2, quantity: 1 }] })),
    ).toStrictEqual([
      { rule: 'orders-asked-for', detail: 'order 8 of client 101 (1 × product 2) exists and nobody asked for it', order: 8 },
    ]);
  });

  test('a total that its lines do not make', () => {
    expect(
      foundInOrders((_made, order, attempt) => {
        order.totalCents = 2_199;
        attempt.totalCents = 2_199;
      }),
    ).toStrictEqual([{ rule: 'orders-as-answered', detail: 'order 7 is stored with a total of 21.99, its lines make 21.98', order: 7 }]);
  });

  test('a line charged at another price, and one under another name', () => {
    expect(foundInOrders(chargeOtherwise)).toStrictEqual([
      { rule: 'orders-as-answered', detail: 'order 7: product 1 was charged at 5.00, its price is 10.99', order: 7, product: 1 },
    ]);
    expect(foundInOrders((_made, { lines }) => (lines[0]!.name = 'Other'))).toStrictEqual([
      { rule: 'orders-as-answered', detail: 'order 7: product 1 is named "Other", not "Thing 1"', order: 7, product: 1 },
    ]);
  });

  test.each<[string, (made: Run) => void]>([
    ['got another name meanwhile', (made) => (made.productsAfter[0]!.name = 'Other')],
    ['got another price meanwhile', (made) => (made.productsAfter[0]!.priceCents = 500)],
    ['was removed meanwhile', (made) => made.productsAfter.shift()],
    ['is new', (made) => (made.products = products.slice(1))],
  ])('nothing of the price of a product that %s', (_what, change) => {
    expect(
      foundInOrders((made, order, attempt) => {
        chargeOtherwise(made, order, attempt);
        change(made);
      }),
    ).toEqual([]);
  });
});

const foundInStock = (change: Change, isShared = false) => checkBooks(booksOf(oneWith(change), isShared));

const moved = (detail: string) => ({ rule: 'stock-moved', detail: `order 7: ${detail}`, order: 7, product: 1 });

const stray: Change = ({ stored }) =>
  stored.strayMovements.push({ id: 3, product: 2, quantity: -7, reason: 'sale', order: null, line: null });

const left =
  (stock: number): Change =>
  ({ stored }) =>
    Object.assign(stored.products[0]!, { stock, moved: stock });

const gone: Change = ({ stored }) => stored.products.shift();

describe('of the stock it says', () => {
  const odd = moved('movement 7000 (sale, -2) belongs to no line');
  const nothing = moved('line 70, 2 of product 1, moved nothing');

  test.each<[string, (made: Run, movement: Changeable<Ledger['movements'][number]>) => void, readonly object[]]>([
    ['moved nothing', ({ stored }) => (stored.movements = []), [nothing]],
    [
      'moved twice',
      ({ stored }, movement) => stored.movements.push({ ...movement, id: 7_001 }),
      [moved('line 70, 2 of product 1, moved 4 pieces in 2 movements')],
    ],
    [
      'moved in halves',
      ({ stored }, movement) => {
        movement.quantity = -1;
        stored.movements.push({ ...movement, id: 7_001 });
      },
      [moved('line 70, 2 of product 1, moved 2 pieces in 2 movements')],
    ],
    ['moved too few', (_made, movement) => (movement.quantity = -1), [moved('line 70, 2 of product 1, moved 1 pieces in 1 movements')]],
    [
      'moved another product',
      (_made, movement) => (movement.product = 2),
      [moved('line 70, 2 of product 1, moved 2 pieces in 1 movements')],
    ],
    ['moved for no line', (_made, movement) => (movement.line = null), [nothing, odd]],
    ['moved for the line of another order', (_made, movement) => (movement.line = 71), [nothing, odd]],
    [
      'moved for no line of an order that was canceled since',
      ({ stored }, movement) => {
        stored.orders[0]!.status = 4;
        movement.line = null;
      },
      [nothing, odd],
    ],
    [
      'came back though the order stands',
      ({ stored }) => stored.movements.push({ id: 3, product: 1, quantity: 2, reason: 'return', order: 7, line: 70 }),
      [moved('movement 3 (return, 2) belongs to no line')],
    ],
  ])('which line %s', (_what, change, anomalies) => {
    expect(foundInStock((made) => change(made, made.stored.movements[0]!))).toStrictEqual(anomalies);
  });

  test('what left for no order, unless others sell too', () => {
    expect(foundInStock(stray)).toStrictEqual([{ rule: 'stock-moved', detail: 'movement 3 took 7 of product 2 for no order', product: 2 }]);
    expect(foundInStock(stray, true)).toEqual([]);
  });

  test('which stock its movements do not make, whoever else uses the shop', () => {
    expect(foundInStock(({ stored }) => (stored.products[0]!.moved = 497), true)).toStrictEqual([
      { rule: 'stock-ledger', detail: 'product 1 has a stock of 498, its movements make 497', product: 1 },
    ]);
  });

  test('which stock is below zero; none is not', () => {
    expect(foundInStock(left(-1), true)).toStrictEqual([{ rule: 'no-oversell', detail: 'product 1 has a stock of -1', product: 1 }]);
    expect(foundInStock(left(0), true)).toEqual([]);
  });

  test('what is left of which product, where it should be otherwise', () => {
    expect(
      foundInStock((made, _order, attempt) => {
        const again = { ...attempt, key: 'k-2', order: 8, totalCents: 2_198 };
        addOrder(made, 8, again);
        made.attempts.push(again);
        Object.assign(made.stored.products[0]!, { stock: 495, moved: 495 });
      }),
    ).toStrictEqual([
      { rule: 'stock-conserved', detail: 'product 1 was shown with 500 in stock, 4 were sold, and 495 are left', product: 1 },
    ]);
    expect(foundInStock(({ stored }) => Object.assign(stored.products[1]!, { stock: 499, moved: 499 }))).toStrictEqual([
      { rule: 'stock-conserved', detail: 'product 2 was shown with 500 in stock, 0 were sold, and 499 are left', product: 2 },
    ]);
  });

  test('which product is gone, unless others may have removed it', () => {
    expect(foundInStock(gone)).toStrictEqual([{ rule: 'stock-conserved', detail: 'product 1 is gone', product: 1 }]);
    expect(foundInStock(gone, true)).toEqual([]);
  });

  test('nothing of pieces that came in meanwhile', () => {
    expect(foundInStock(({ stored }) => Object.assign(stored.products[0]!, { stock: 503, moved: 503, restocked: 5, restocks: 1 }))).toEqual(
      [],
    );
  });
});
