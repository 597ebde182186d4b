import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centsOf, decimalOf, jsonDecimal, priceInput } from '#api/shop/money.ts';

const cents = fc.integer({ min: 0, max: 99_999_999 });

describe('money', () => {
  test('goes out as a decimal and comes back as the same cents', () => {
    fc.assert(
      fc.property(cents, (amount) => {
        expect(centsOf(JSON.parse(decimalOf(amount)) as number)).toBe(amount);
        expect(decimalOf(amount)).toMatch(/^\d+\.\d{2}$/);
      }),
    );
  });

  test('is written the same from PostgreSQL’s text as from a number', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (amount) => {
        expect(decimalOf(String(amount))).toBe(decimalOf(amount));
      }),
    );
  });

  test.each([
    [0, '0.00'],
    [1, '0.01'],
    [10, '0.10'],
    [99, '0.99'],
    [100, '1.00'],
    [1_999, '19.99'],
    [99_999_999, '999999.99'],
  ])('of %i cents is %s', (amount, text) => {
    expect(decimalOf(amount)).toBe(text);
  });

  test('keeps its two places inside an object that JSON.stringify writes', () => {
    expect(JSON.stringify({ total: jsonDecimal(1_990) })).toBe('{"total":19.90}');
  });

  test.each([0.1 + 0.2, 19.999, 1e-7, 1e21, -1, Number.NaN, Number.POSITIVE_INFINITY])('%d has no exact cents', (amount) => {
    expect(centsOf(amount)).toBeUndefined();
  });

  test('as a price is more than nothing, at most 999999.99, and has no third place', () => {
    expect(priceInput.parse(19.99)).toBe(1_999);
    expect(priceInput.parse(999_999.99)).toBe(99_999_999);
    const refused = [0, -5, 0.001, 19.999, 1_000_000, '19.99', null];
    expect(refused.filter((price) => priceInput.safeParse(price).success)).toEqual([]);
  });
});
