import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '#api/errors.ts';
import { assertExpectedTotal, totalCentsOf } from '#api/shop/orders/place-order.ts';

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

  test('is not checked when the client sent none', () => {
    expect(() => assertExpectedTotal(undefined, 5)).not.toThrow();
  });
});
