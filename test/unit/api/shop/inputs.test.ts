import { describe, expect, test } from 'vitest';
import { categoryInput } from '#api/shop/categories/category-schema.ts';
import { clientChanges, registrationInput } from '#api/shop/clients/client-schema.ts';
import { idParams } from '#api/shop/fields.ts';
import { pageQuery } from '#api/shop/pages.ts';
import { orderInput } from '#api/shop/orders/order-schema.ts';
import { productChanges, productFilter, productInput } from '#api/shop/products/product-schema.ts';

const person = { name: ' Ada ', lastname: 'Lovelace', email: ' Ada@Example.com ', password: 'long enough' };

describe('input', () => {
  test('of a product is trimmed, its price in cents, its defaults filled in', () => {
    expect(productInput.parse({ name: ' Lamp ', price: 19.9 })).toEqual({
      name: 'Lamp',
      description: null,
      price: 1_990,
      stock: 0,
      category_id: null,
    });
  });

  test('that changes a product tells null from left out', () => {
    expect(productChanges.parse({ description: null })).toEqual({ description: null });
    expect(productChanges.safeParse({ name: null }).success).toBe(false);
  });

  test('of a client is trimmed; its address keeps its case', () => {
    expect(registrationInput.parse(person)).toMatchObject({ name: 'Ada', email: 'Ada@Example.com', telephone: null });
    expect(clientChanges.parse({ telephone: null })).toEqual({ telephone: null });
  });

  test.each([
    ['an unknown field', registrationInput, { ...person, is_admin: true }],
    ['an id of the client’s own', registrationInput, { ...person, id_key: 1 }],
    ['no address', registrationInput, { ...person, email: 'ada' }],
    ['an address that only a deleted client can have', registrationInput, { ...person, email: 'deleted-1@invalid' }],
    ['a short password', registrationInput, { ...person, password: '1234567' }],
    ['an empty name', registrationInput, { ...person, name: '  ' }],
    ['a telephone of letters', registrationInput, { ...person, telephone: 'call me' }],
    ['a negative stock', productInput, { name: 'x', price: 1, stock: -1 }],
    ['half a piece', productInput, { name: 'x', price: 1, stock: 0.5 }],
    ['a price as text', productInput, { name: 'x', price: '1' }],
    [
      'more lines than an order takes',
      orderInput,
      { client_id: 1, delivery_method: 1, lines: Array.from({ length: 101 }, () => ({ product_id: 1, quantity: 1 })) },
    ],
    ['a page of nothing', pageQuery, { limit: '0' }],
    ['a page of too much', pageQuery, { limit: '1001' }],
    ['a page before the first', pageQuery, { skip: '-1' }],
    ['a page in hexadecimal', pageQuery, { skip: '0x10' }],
    ['an id that is no number', idParams, { id: '1 OR 1=1' }],
    ['an id beyond what a number holds', idParams, { id: '9007199254740993' }],
    ['an id of zero', idParams, { id: '0' }],
    ['an unknown order', productFilter, { sort_by: 'price' }],
    ['a price with three places', productFilter, { min_price: '1.999' }],
    ['a price in scientific notation', productFilter, { min_price: '1e3' }],
  ])('with %s is refused', (_what, schema, input) => {
    expect(schema.safeParse(input).success).toBe(false);
  });

  test.each([
    ['a control character', 'La\u0007mp'],
    ['a line break', 'La\nmp'],
    ['a text that runs backwards', 'La\u202Epm'],
    ['an isolated direction', 'La\u2066mp\u2069'],
    ['half a character', 'La\uD800mp'],
  ])('of a name with %s is refused', (_what, name) => {
    for (const [schema, rest] of [
      [productInput, { price: 1 }],
      [categoryInput, {}],
      [registrationInput, { lastname: 'L', email: 'a@example.com', password: 'long enough' }],
    ] as const) {
      expect(schema.safeParse({ ...rest, name }).error?.issues[0]?.path).toEqual(['name']);
      expect(schema.safeParse({ ...rest, name: 'Lámpara 灯 🪔 مصباح' }).success).toBe(true);
    }
  });

  test('of a description may have lines, and no other control characters', () => {
    expect(productInput.safeParse({ name: 'x', price: 1, description: 'One.\r\n\tTwo.' }).success).toBe(true);
    expect(productInput.safeParse({ name: 'x', price: 1, description: 'One.\u0000' }).success).toBe(false);
    expect(productInput.safeParse({ name: 'x', price: 1, description: '\u202Eenilemit' }).success).toBe(false);
  });

  test('of a filter may ask for a price of zero', () => {
    expect(productFilter.parse({ min_price: '0', in_stock_only: '1' })).toMatchObject({
      min_price: 0,
      in_stock_only: true,
      skip: 0,
      limit: 100,
    });
  });
});
