import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '#api/errors.ts';
import { assertInStock } from '#api/shop/orders/place-order.ts';
import { shortages, type LockedProduct } from '#api/shop/stock/stock.ts';

const product = (id_key: number, stock: number): LockedProduct => ({ id_key, stock, name: 'x', price_cents: 100, version: 1 });
const products = (...some: LockedProduct[]): Map<number, LockedProduct> => new Map(some.map((one) => [one.id_key, one]));
const someWanted = fc.array(fc.record({ productId: fc.integer({ min: 1, max: 5 }), quantity: fc.integer({ min: 1, max: 50 }) }), {
  maxLength: 30,
});

describe('what is wanted', () => {
  test('is short exactly of the products wanted in more pieces than there are, however they are split', () => {
    fc.assert(
      fc.property(someWanted, fc.array(fc.nat(100), { minLength: 5, maxLength: 5 }), (wanted, stocks) => {
        const short = shortages(wanted, products(...stocks.map((stock, index) => product(index + 1, stock))));
        const expected = stocks.flatMap((available, index) => {
          const requested = pieces(wanted.filter(({ productId }) => productId === index + 1));
          return requested > available ? [{ productId: index + 1, requested, available }] : [];
        });
        expect(short.toSorted((a, b) => a.productId - b.productId)).toEqual(expected);
      }),
    );
  });
});

const refusal = (lines: readonly (readonly [productId: number, quantity: number])[], shelf: Map<number, LockedProduct>): unknown => {
  try {
    assertInStock(
      lines.map(([product_id, quantity]) => ({ product_id, quantity })),
      shelf,
    );
    return undefined;
  } catch (err) {
    return err;
  }
};

describe('an order', () => {
  test('of what does not exist is not found, even when something else is short', () => {
    const err = refusal(
      [
        [1, 9],
        [7, 1],
      ],
      products(product(1, 2)),
    );
    expect(err).toBeInstanceOf(ApiError);
    expect(err).toMatchObject({ code: 'not_found', errors: [{ pointer: '/lines/1/product_id' }] });
  });

  test('of too much names every line of the product', () => {
    const lines = [
      [1, 2],
      [2, 1],
      [1, 2],
    ] as const;
    expect(refusal(lines, products(product(1, 3), product(2, 1)))).toMatchObject({
      code: 'insufficient_stock',
      errors: [{ pointer: '/lines/0/quantity' }, { pointer: '/lines/2/quantity' }],
      extensions: { products: [{ product_id: 1, requested: 4, available: 3 }] },
    });
    expect(refusal(lines, products(product(1, 4), product(2, 1)))).toBeUndefined();
  });
});

const pieces = (some: readonly { readonly quantity: number }[]): number => some.reduce((sum, { quantity }) => sum + quantity, 0);
