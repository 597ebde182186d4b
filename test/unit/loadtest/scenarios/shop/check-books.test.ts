import { expect, test } from 'vitest';
import { checkBooks } from '#loadtest/scenarios/shop/check-books.ts';
import type { OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import type { Anomaly, StoredOrder } from '#loadtest/scenarios/shop/stored-books.ts';
import { addOrder, booksOf, oneWith, products, silence, type Change, type Changeable, type Run } from './right-run.ts';

/** Without a ledger only the orders are told of, and whoever else uses the shop makes no difference to them. */
const foundInOrders = (change: Change): Anomaly[] => {
  const [alone, shared] = [false, true].map((isShared) => {
    const books = booksOf(oneWith(change), isShared);
    return checkBooks({ ...books, stored: { ...books.stored, ledger: null } });
  });
  expect(shared).toStrictEqual(alone);
  return alone ?? [];
};

const asTold = { key: 'k', order: 7, requestId: 'r' };
const one = 'order 7 of client 101 (2 × product 1)';

const chargeOtherwise: Change = (_made, order, attempt) => {
  order.lines[0]!.priceCents = 500;
  order.totalCents = 1_000;
  attempt.totalCents = 1_000;
};

test.each<[string, Change, readonly Anomaly[]]>([
  [
    'which order is lost',
    ({ stored }) => (stored.orders = []),
    [{ rule: 'orders-kept', detail: 'order 7 was acknowledged and does not exist', ...asTold }],
  ],
  [
    'nothing of a request id that was not answered',
    ({ stored }, _order, attempt) => {
      stored.orders = [];
      attempt.requestId = null;
    },
    [{ rule: 'orders-kept', detail: 'order 7 was acknowledged and does not exist', key: 'k', order: 7 }],
  ],
  [
    'that an order was acknowledged with another total than is stored',
    (_made, _order, attempt) => (attempt.totalCents = 2_200),
    [{ rule: 'orders-as-answered', detail: 'order 7 was acknowledged with a total of 22.00 and is stored with 21.98', ...asTold }],
  ],
  [
    'that an order is neither as asked nor as answered',
    (_made, order, attempt) => {
      order.client = 102;
      attempt.totalCents = 2_200;
    },
    [
      { rule: 'orders-as-asked', detail: 'order 7 is stored with client 102, asked by 101', ...asTold },
      { rule: 'orders-as-answered', detail: 'order 7 was acknowledged with a total of 22.00 and is stored with 21.98', ...asTold },
    ],
  ],
  ['nothing of a total that was not answered', (_made, _order, attempt) => (attempt.totalCents = null), []],
  [
    'which key has two orders',
    (made, _order, attempt) => {
      addOrder(made, 8, attempt);
      made.attempts.push({ ...attempt, order: 8 });
    },
    [{ rule: 'no-duplicate-orders', detail: 'key k was answered with orders 7 and 8', key: 'k', order: 8 }],
  ],
  [
    'which keys share an order',
    ({ attempts }, _order, attempt) => attempts.push({ ...attempt, key: 'k-2' }),
    [{ rule: 'no-duplicate-orders', detail: 'order 7 was the answer to the keys k and k-2', key: 'k-2', order: 7 }],
  ],
  [
    'beside which acknowledged order another was made, though a like request got no answer',
    (made, _order, attempt) => {
      made.attempts.unshift({ ...attempt, ...silence, key: 'k-0' });
      addOrder(made, 8, attempt);
      addOrder(made, 9, attempt);
    },
    [
      {
        rule: 'no-duplicate-orders',
        detail: 'order 9 of client 101 (2 × product 1) exists beside order 7 for the one request with key k',
        key: 'k',
        order: 9,
      },
    ],
  ],
  [
    'beside which two orders of one key a third was made',
    (made, _order, attempt) => {
      for (const id of [8, 9]) addOrder(made, id, attempt);
      made.attempts.push({ ...attempt, order: 8 });
    },
    [
      { rule: 'no-duplicate-orders', detail: 'key k was answered with orders 7 and 8', key: 'k', order: 8 },
      {
        rule: 'no-duplicate-orders',
        detail: 'order 9 of client 101 (2 × product 1) exists beside orders 7 and 8 for the one request with key k',
        key: 'k',
        order: 9,
      },
    ],
  ],
  [
    'that a request without an answer made two orders',
    (made, _order, attempt) => {
      made.attempts = [
        { ...attempt, ...silence, outcome: 'refused', key: 'k-no' },
        { ...attempt, ...silence },
      ];
      addOrder(made, 8, attempt);
    },
    [
      {
        rule: 'no-duplicate-orders',
        detail: 'order 8 of client 101 (2 × product 1) exists beside another for the one request with key k',
        key: 'k',
        order: 8,
      },
    ],
  ],
  [
    'which refused order exists',
    (_made, _order, attempt) => Object.assign(attempt, silence, { outcome: 'refused' }),
    [{ rule: 'orders-asked-for', detail: `${one} exists, though it was refused`, key: 'k', order: 7 }],
  ],
  [
    'no key where the buyer was always answered',
    (made) => addOrder(made, 8, { client: 101, deliveryMethod: 1, lines: [{ product: 2, quantity: 1 }] }),
    [{ rule: 'orders-asked-for', detail: 'order 8 of client 101 (1 × product 2) exists and nobody asked for it', order: 8 }],
  ],
  [
    'a total that its lines do not make',
    (_made, order, attempt) => {
      order.totalCents = 2_199;
      attempt.totalCents = 2_199;
    },
    [{ rule: 'orders-as-answered', detail: 'order 7 is stored with a total of 21.99, its lines make 21.98', order: 7 }],
  ],
  [
    'a line charged at another price',
    chargeOtherwise,
    [{ rule: 'orders-as-answered', detail: 'order 7: product 1 was charged at 5.00, its price is 10.99', order: 7, product: 1 }],
  ],
  [
    'a line under another name',
    (_made, { lines }) => (lines[0]!.name = 'Other'),
    [{ rule: 'orders-as-answered', detail: 'order 7: product 1 is named "Other", not "Thing 1"', order: 7, product: 1 }],
  ],
])('of the orders it says %s', (_what, change, anomalies) => {
  expect(foundInOrders(change)).toStrictEqual(anomalies);
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
])('of the orders it says what is stored otherwise than asked: %s', (differs, change) => {
  const found = foundInOrders((_made, order, attempt) => {
    change(order);
    order.totalCents = order.lines.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0);
    attempt.totalCents = order.totalCents;
  });
  expect(found).toStrictEqual([{ rule: 'orders-as-asked', detail: `order 7 is stored with ${differs}`, ...asTold }]);
});

test.each<[string, Partial<Changeable<OrderAttempt>>]>([
  ['another client', { client: 102 }],
  ['another delivery', { deliveryMethod: 2 }],
  ['another quantity', { lines: [{ product: 1, quantity: 3 }] }],
  ['another product', { lines: [{ product: 2, quantity: 2 }] }],
])('a request without an answer for %s explains no order', (_what, other) => {
  expect(foundInOrders((_made, _order, attempt) => Object.assign(attempt, silence, other))).toStrictEqual([
    // The same buyer's request of unknown outcome is where to look first.
    {
      rule: 'orders-asked-for',
      detail: `${one} exists and nobody asked for it`,
      ...(other.client === undefined && { key: 'k' }),
      order: 7,
    },
  ]);
});

test.each<[string, (made: Run) => void]>([
  ['got another name meanwhile', (made) => (made.productsAfter[0]!.name = 'Other')],
  ['got another price meanwhile', (made) => (made.productsAfter[0]!.priceCents = 500)],
  ['was removed meanwhile', (made) => made.productsAfter.shift()],
  ['is new', (made) => (made.products = products.slice(1))],
])('a product that %s may have been sold at any price', (_what, change) => {
  const found = foundInOrders((made, order, attempt) => {
    chargeOtherwise(made, order, attempt);
    change(made);
  });
  expect(found).toEqual([]);
});
