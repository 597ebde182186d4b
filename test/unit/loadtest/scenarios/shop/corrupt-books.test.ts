// Every way in which books can be wrong stands in one list, where a missing one is seen; that makes it long.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkBooks } from '#loadtest/scenarios/shop/check-books.ts';
import type { OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import type { BookRule, Ledger, StoredOrder } from '#loadtest/scenarios/shop/stored-books.ts';
import { addOrder, booksOf, run, stockAfter, type Changeable, type Run } from './right-run.ts';

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
      expect(checkBooks(booksOf(made)).map(({ rule }) => rule)).toContain('no-duplicate-orders');
    }),
    { numRuns: 500 },
  );
});

const contentOf = ({ client, deliveryMethod, lines }: OrderAttempt) => ({ client, deliveryMethod, lines });

const isOpenFor = ({ attempts }: Run, lines: OrderAttempt['lines']): boolean =>
  attempts.some((attempt) => attempt.outcome === 'unknown' && JSON.stringify(attempt.lines) === JSON.stringify(lines));

type Corrupt = (run: Run, pick: number) => boolean;

/** `witness` is what the anomaly must lead to; `corrupt` returns false when a run gives no occasion for it. */
type Corruption = readonly [name: string, rule: BookRule, witness: 'order' | 'product' | 'key', corrupt: Corrupt];

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
  (change: (order: Changeable<StoredOrder>, run: Run) => void): Corrupt =>
  (made, pick) =>
    toOne(acknowledged(made), pick, (order) => change(order, made));
const anAcknowledgement =
  (change: (attempt: Changeable<OrderAttempt>, run: Run) => void, isMeant = (_attempt: OrderAttempt, _run: Run) => true): Corrupt =>
  (made, pick) =>
    toOne(
      made.attempts.filter((attempt) => attempt.outcome === 'acknowledged' && isMeant(attempt, made)),
      pick,
      (attempt) => change(attempt, made),
    );
const aMovement =
  (change: (movement: Changeable<Ledger['movements'][number]>, run: Run) => void): Corrupt =>
  (made, pick) =>
    toOne(made.stored.movements, pick, (movement) => change(movement, made));
const aProduct =
  (change: (product: Changeable<Ledger['products'][number]>, run: Run) => void): Corrupt =>
  (made, pick) =>
    toOne(made.stored.products, pick, (product) => change(product, made));

/** As if so many pieces more had come in, by stock and ledger. */
const add = (product: Changeable<Ledger['products'][number]>, pieces: number): void => {
  product.stock += pieces;
  product.moved += pieces;
};

const productOf = ({ stored }: Run, id: number): Changeable<Ledger['products'][number]> =>
  stored.products.find((product) => product.id === id) as Changeable<Ledger['products'][number]>;

const corruptions: readonly Corruption[] = [
  [
    'an acknowledged order is lost',
    'orders-kept',
    'order',
    anOrder((order, { stored }) => {
      stored.orders = stored.orders.filter((other) => other !== order);
      stored.movements = stored.movements.filter((movement) => movement.order !== order.id);
      stored.products = stockAfter(stored.orders);
    }),
  ],
  ['an order belongs to another', 'orders-as-asked', 'order', anOrder((order) => (order.client += 1))],
  ['a quantity is one more', 'orders-as-asked', 'order', anOrder(({ lines }) => (lines[0]!.quantity += 1))],
  ['a line is another product', 'orders-as-asked', 'order', anOrder(({ lines }) => (lines[0]!.product += 10))],
  ['a line is lost', 'orders-as-asked', 'order', anOrder(({ lines }) => lines.pop())],
  ['the delivery is another', 'orders-as-asked', 'order', anOrder((order) => (order.deliveryMethod = (order.deliveryMethod % 3) + 1))],
  ['a stored total is off by a cent', 'orders-as-answered', 'order', anOrder((order) => (order.totalCents += 1))],
  [
    'a line is charged a cent more, and the total with it',
    'orders-as-answered',
    'order',
    anOrder((order) => {
      order.lines[0]!.priceCents += 1;
      order.totalCents += order.lines[0]!.quantity;
    }),
  ],
  ['a line has another name', 'orders-as-answered', 'product', anOrder(({ lines }) => (lines[0]!.name = 'Other'))],
  [
    'a key got two orders, both acknowledged',
    'no-duplicate-orders',
    'key',
    anAcknowledgement((attempt, made) => {
      addOrder(made, 9_001, attempt);
      made.attempts.push({ ...attempt, order: 9_001 });
    }),
  ],
  [
    'a repeated order was made twice, unseen',
    'no-duplicate-orders',
    'order',
    anAcknowledgement(
      (attempt, made) => addOrder(made, 9_001, attempt),
      // Beside one of unknown outcome and the same content, a second order would be that one's.
      ({ lines }, made) => !isOpenFor(made, lines),
    ),
  ],
  [
    'two keys got the same order',
    'no-duplicate-orders',
    'order',
    anAcknowledgement((attempt, { attempts }) => attempts.push({ ...attempt, key: 'k-other' })),
  ],
  [
    'an order nobody asked for',
    'orders-asked-for',
    'order',
    (made) => {
      addOrder(made, 9_001, { client: 101, deliveryMethod: 1, lines: [{ product: 1, quantity: 77 }] });
      return true;
    },
  ],
  [
    'a refused order exists all the same',
    'orders-asked-for',
    'order',
    (made, pick) => {
      const attempt = {
        ...(made.attempts[pick % made.attempts.length] as OrderAttempt),
        key: 'k-no',
        lines: [{ product: 2, quantity: 9 }],
      };
      made.attempts.push({ ...attempt, lines: [...attempt.lines], outcome: 'refused', order: null, totalCents: null, status: 409 });
      addOrder(made, 9_001, attempt);
      return true;
    },
  ],
  [
    'a sale moved nothing at all',
    'stock-moved',
    'order',
    aMovement((movement, made) => {
      made.stored.movements = made.stored.movements.filter((other) => other !== movement);
      add(productOf(made, movement.product), -movement.quantity);
    }),
  ],
  [
    'a sale moved twice',
    'stock-moved',
    'order',
    aMovement((movement, made) => {
      made.stored.movements.push({ ...movement, id: 99_999 });
      add(productOf(made, movement.product), movement.quantity);
    }),
  ],
  ['a movement is one piece short', 'stock-moved', 'order', aMovement((movement) => (movement.quantity += 1))],
  ['a movement is of another product', 'stock-moved', 'order', aMovement((movement) => (movement.product += 10))],
  ['a movement names no line', 'stock-moved', 'order', aMovement((movement) => (movement.line = null))],
  [
    'pieces left for no order',
    'stock-moved',
    'product',
    aMovement((movement, { stored }) => void stored.strayMovements.push({ ...movement, order: null, line: null })),
  ],
  ['stock without ledger', 'stock-ledger', 'product', aProduct((product) => (product.stock -= 1))],
  ['ledger without stock', 'stock-ledger', 'product', aProduct((product) => (product.moved -= 1))],
  ['stock and ledger moved for nothing', 'stock-conserved', 'product', aProduct((product) => add(product, -2))],
  [
    'a product is gone',
    'stock-conserved',
    'product',
    aProduct((product, { stored }) => void (stored.products = stored.products.filter((other) => other !== product))),
  ],
  ['more was sold than there was', 'no-oversell', 'product', aProduct((product) => add(product, -product.stock - 1))],
];

test.each(corruptions)('names, with a witness, %s', (_name, rule, witness, corrupt) => {
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
