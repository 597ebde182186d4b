import { describe, expect, test } from 'vitest';
import { checkBooks } from '#loadtest/scenarios/shop/check-books.ts';
import type { Ledger } from '#loadtest/scenarios/shop/stored-books.ts';
import { addOrder, booksOf, oneWith, type Change, type Changeable, type Run } from './right-run.ts';

const foundInStock = (change: Change, isShared = false) => checkBooks(booksOf(oneWith(change), isShared));

const moved = (detail: string) => ({ rule: 'stock-moved', detail: `order 7: ${detail}`, order: 7, product: 1 });

const returned = (detail: string) => ({
  rule: 'returned-once',
  detail: `order 7: of line 70, 2 of product 1, ${detail}`,
  order: 7,
  product: 1,
});

const stray: Change = ({ stored }) =>
  stored.strayMovements.push({ id: 3, product: 2, quantity: -7, reason: 'sale', order: null, line: null });

const left =
  (stock: number): Change =>
  ({ stored }) =>
    Object.assign(stored.products[0]!, { stock, moved: stock });

/** Seven of each product, by others. */
const bought: Change = (made, order, attempt) => {
  stray(made, order, attempt);
  for (const product of made.stored.products) Object.assign(product, { stock: product.stock - 7, moved: product.moved - 7 });
};

const cancel: Change = ({ stored }, order) => {
  order.status = 4;
  stored.returns.push({ line: 70, pieces: 2 });
  stored.movements.push({ id: 2, product: 1, quantity: 2, reason: 'return', order: 7, line: 70 });
};

const refund: Change = ({ stored }) => void stored.returns.push({ line: 70, pieces: 1 });

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
    ['moved too few', (_made, movement) => (movement.quantity = -1), [moved('line 70, 2 of product 1, moved 1 piece in 1 movement')]],
    [
      'moved another product',
      (_made, movement) => (movement.product = 2),
      [moved('line 70, 2 of product 1, moved 2 pieces in 1 movement')],
    ],
    ['moved for no line', (_made, movement) => (movement.line = null), [nothing, odd]],
    ['moved for the line of another order', (_made, movement) => (movement.line = 71), [nothing, odd]],
    [
      'moved for no line of an order that was canceled since',
      (made, movement) => {
        cancel(made, made.stored.orders[0]!, made.attempts[0]!);
        movement.line = null;
      },
      [nothing, odd],
    ],
    [
      'came back though the order stands',
      ({ stored }) => stored.movements.push({ id: 3, product: 1, quantity: 2, reason: 'return', order: 7, line: 70 }),
      [returned('2 pieces came back in 1 movement, not 0')],
    ],
    [
      'came back twice when the order was canceled',
      (made) => {
        cancel(made, made.stored.orders[0]!, made.attempts[0]!);
        made.stored.movements.push({ id: 3, product: 1, quantity: 2, reason: 'return', order: 7, line: 70 });
      },
      [returned('4 pieces came back in 2 movements, not 2')],
    ],
    [
      'did not come back though the order is canceled',
      ({ stored }) => (stored.orders[0]!.status = 4),
      [returned('0 came back, though the order is canceled')],
    ],
    [
      'came back in part, without a refund of so many',
      ({ stored }) => {
        stored.returns.push({ line: 70, pieces: 1 });
        stored.movements.push({ id: 3, product: 1, quantity: 2, reason: 'return', order: 7, line: 70 });
      },
      [returned('2 pieces came back in 1 movement, not 1')],
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

  test('nothing of what others buy in a shop they use too', () => {
    expect(foundInStock(bought, true)).toEqual([]);
    expect(foundInStock(bought).map(({ rule }) => rule)).toContain('stock-conserved');
  });

  test('nothing of the pieces that came back from an order that was canceled, or refunded with restocking or without', () => {
    expect(foundInStock(cancel, true)).toEqual([]);
    expect(foundInStock(refund, true)).toEqual([]);
    const restock: Change = (made, order, attempt) => {
      refund(made, order, attempt);
      made.stored.movements.push({ id: 3, product: 1, quantity: 1, reason: 'return', order: 7, line: 70 });
    };
    expect(foundInStock(restock, true)).toEqual([]);
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
