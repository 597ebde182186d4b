import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '#api/errors.ts';
import type { LockedProduct } from '#api/shop/stock/lock-products.ts';
import { assertInStock, quantityByProduct, type WantedLine } from '#api/shop/stock/take-stock.ts';

const product = (id_key: number, stock: number): LockedProduct => ({ id_key, stock, name: 'x', price_cents: 100, version: 1 });
const products = (...some: LockedProduct[]): Map<number, LockedProduct> => new Map(some.map((one) => [one.id_key, one]));
const someLines = fc.array(fc.record({ productId: fc.integer({ min: 1, max: 5 }), quantity: fc.integer({ min: 1, max: 50 }) }), {
  maxLength: 30,
});

describe('what an order wants', () => {
  test('adds up to the same pieces however it is split into lines', () => {
    fc.assert(
      fc.property(someLines, (lines) => {
        const byProduct = quantityByProduct(lines);
        expect(pieces(byProduct.values())).toBe(pieces(lines.map(({ quantity }) => quantity)));
        expect(new Set(byProduct.keys())).toEqual(new Set(lines.map(({ productId }) => productId)));
      }),
    );
  });

  test('is there exactly when no product is wanted in more pieces than there are', () => {
    fc.assert(
      fc.property(someLines, fc.array(fc.nat(100), { minLength: 5, maxLength: 5 }), (lines, stocks) => {
        const shelf = products(...stocks.map((stock, index) => product(index + 1, stock)));
        const isEnough = [...quantityByProduct(lines)].every(([id, quantity]) => quantity <= (shelf.get(id)?.stock ?? 0));
        expect(thrownBy(lines, shelf)).toSatisfy((err) => (isEnough ? err === undefined : err instanceof ApiError));
      }),
    );
  });

  test('that does not exist is not found, even when something else is short', () => {
    const err = thrownBy(
      [
        { productId: 1, quantity: 9 },
        { productId: 7, quantity: 1 },
      ],
      products(product(1, 2)),
    );
    expect(err).toBeInstanceOf(ApiError);
    expect(err).toMatchObject({ errors: [{ pointer: '/lines/1/product_id' }] });
  });

  test('and is short names every line of the product', () => {
    const lines = [
      { productId: 1, quantity: 2 },
      { productId: 2, quantity: 1 },
      { productId: 1, quantity: 2 },
    ];
    expect(thrownBy(lines, products(product(1, 3), product(2, 1)))).toMatchObject({
      errors: [{ pointer: '/lines/0/quantity' }, { pointer: '/lines/2/quantity' }],
      extensions: { products: [{ product_id: 1, requested: 4, available: 3 }] },
    });
  });
});

const pieces = (some: Iterable<number>): number => [...some].reduce((sum, quantity) => sum + quantity, 0);

function thrownBy(lines: readonly WantedLine[], shelf: ReadonlyMap<number, LockedProduct>): unknown {
  try {
    assertInStock(lines, shelf);
    return undefined;
  } catch (err) {
    return err;
  }
}
