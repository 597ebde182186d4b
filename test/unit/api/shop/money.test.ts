import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { view } from '#api/http/view.ts';
import { centsOf, decimalOf, jsonDecimal, money, priceInput, priceText } from '#api/shop/money.ts';

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

const reasonOf = (schema: typeof priceInput | typeof priceText, given: unknown): string | undefined =>
  schema.safeParse(given).error?.issues[0]?.message;

describe('a price', () => {
  test.each([
    ['19.99', 'must be a number'],
    [0, 'must be 0.01 or more'],
    [0.009, 'must be 0.01 or more'],
    [1_000_000, 'must be 999999.99 or less'],
    [19.999, 'must have at most two decimal places'],
    [0.01, undefined],
    [999_999.99, undefined],
  ])('of %j in a body %s', (given, reason) => {
    expect(reasonOf(priceInput, given)).toBe(reason);
  });

  test.each(['', 'x', '1x', 'x1', '1.', '.5', '-1', '1e3', '1.999', ' 1', '1,5'])('written as %j in a query is none', (given) => {
    expect(reasonOf(priceText, given)).toBe('must be a price such as 19.90');
  });

  test('in a query is text of bounded length', () => {
    expect([priceText.parse('0'), priceText.parse('19.9'), priceText.parse('12'), priceText.parse('19.99')]).toEqual([
      0, 1_990, 1_200, 1_999,
    ]);
    expect(priceText.safeParse(`0.${'0'.repeat(19)}`).success).toBe(false);
    expect(priceText.parse(`${'0'.repeat(18)}12`)).toBe(1_200);
  });

  test('goes out under its own name, from a column of cents', () => {
    const { select, schema, json } = view([money('price', 'price_cents')]);
    expect([select, json({ price_cents: 1_990 }), schema['properties']]).toEqual([
      'price_cents',
      '{"price":19.90}',
      { price: { type: 'number', multipleOf: 0.01 } },
    ]);
  });
});
