import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '#api/errors.ts';
import { assertExpectedTotal, assertInStock, shortages, totalCentsOf } from '#api/shop/orders/price-order.ts';

const line = fc.record({ quantity: fc.integer({ min: 1, max: 99_999 }), price_cents: fc.integer({ min: 1, max: 99_999_999 }) });
const lines = fc.array(line, { maxLength: 100 });

describe('the total of an order', () => {
  test('is exact for the largest order the API takes', () => {
    fc.assert(
      fc.property(lines, (some) => {
        const exact = some.reduce((total, { quantity, price_cents }) => total + BigInt(quantity) * BigInt(price_cents), 0n);
        expect(BigInt(totalCentsOf(some))).toBe(exact);
      }),
    );
    const largest = Array.from({ length: 100 }, () => ({ quantity: 99_999, price_cents: 99_999_999 }));
    expect(Number.isSafeInteger(totalCentsOf(largest))).toBe(true);
  });

  test('does not depend on the order of the lines', () => {
    fc.assert(
      fc.property(lines, (some) => {
        expect(totalCentsOf(some.toReversed())).toBe(totalCentsOf(some));
      }),
    );
  });

  test('is accepted when the client added it up as binary fractions, and refused when it is a cent off', () => {
    const cart = fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 99 }), price_cents: fc.integer({ min: 1, max: 99_999 }) }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(cart, (some) => {
        const total = totalCentsOf(some);
        const asFractions = some.reduce((sum, { quantity, price_cents }) => sum + quantity * (price_cents / 100), 0);
        expect(() => assertExpectedTotal(asFractions, total)).not.toThrow();
        expect(() => assertExpectedTotal((total + 1) / 100, total)).toThrow(ApiError);
        expect(() => assertExpectedTotal((total - 1) / 100, total)).toThrow(ApiError);
      }),
    );
  });

  test('that is another is refused with the true one', () => {
    let refused: unknown;
    try {
      assertExpectedTotal(1, 1_990);
    } catch (err) {
      refused = err;
    }
    expect(refused).toMatchObject({
      code: 'price_mismatch',
      message: 'The total is another than the one sent; nothing was ordered.',
      errors: [{ pointer: '/total', message: 'is not the total of the lines' }],
    });
    expect(JSON.stringify((refused as ApiError).extensions)).toBe('{"total":19.90}');
  });

  test('is not checked when the client sent none', () => {
    expect(() => assertExpectedTotal(undefined, 5)).not.toThrow();
  });
});

type Shelf = ReadonlyMap<number, { readonly stock: number }>;
/** So many pieces of the products 1, 2, … */
const shelf = (...stocks: number[]): Shelf => new Map(stocks.map((stock, index) => [index + 1, { stock }]));
const someWanted = fc.array(fc.record({ product_id: fc.integer({ min: 1, max: 5 }), quantity: fc.integer({ min: 1, max: 50 }) }), {
  maxLength: 30,
});

describe('what is wanted', () => {
  test('is short exactly of the products wanted in more pieces than there are, however they are split', () => {
    fc.assert(
      fc.property(someWanted, fc.array(fc.nat(100), { minLength: 5, maxLength: 5 }), (wanted, stocks) => {
        const short = shortages(wanted, shelf(...stocks));
        const expected = stocks.flatMap((available, index) => {
          const requested = pieces(wanted.filter(({ product_id }) => product_id === index + 1));
          return requested > available ? [{ product_id: index + 1, requested, available }] : [];
        });
        expect(short.toSorted((a, b) => a.product_id - b.product_id)).toEqual(expected);
      }),
    );
  });
});

const refusal = (wanted: readonly (readonly [productId: number, quantity: number])[], on: Shelf): unknown => {
  try {
    assertInStock(
      wanted.map(([product_id, quantity]) => ({ product_id, quantity })),
      on,
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
      shelf(2),
    );
    expect(err).toBeInstanceOf(ApiError);
    expect(err).toMatchObject({
      code: 'not_found',
      message: 'A product does not exist.',
      errors: [{ pointer: '/lines/1/product_id', message: 'does not exist' }],
    });
  });

  test('of too much names every line of the product', () => {
    const twice = [
      [1, 2],
      [2, 1],
      [1, 2],
    ] as const;
    expect(refusal(twice, shelf(3, 1))).toMatchObject({
      code: 'insufficient_stock',
      message: 'There is not enough in stock; nothing was ordered.',
      errors: [
        { pointer: '/lines/0/quantity', message: 'is more than there is in stock' },
        { pointer: '/lines/2/quantity', message: 'is more than there is in stock' },
      ],
      extensions: { products: [{ product_id: 1, requested: 4, available: 3 }] },
    });
    expect(refusal(twice, shelf(4, 1))).toBeUndefined();
  });
});

const pieces = (some: readonly { readonly quantity: number }[]): number => some.reduce((sum, { quantity }) => sum + quantity, 0);
