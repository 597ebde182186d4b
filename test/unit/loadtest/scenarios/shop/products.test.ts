import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from '#loadtest/scenarios/shop/faults.ts';
import { faultInCategories, faultInProduct, faultInProducts, type Sales } from '#loadtest/scenarios/shop/look-at-products.ts';
import { centsOf, createShelf, sortings, type Product, type ProductQuery } from '#loadtest/scenarios/shop/shelf.ts';
import { answerOf, goods, productJson } from './right-answers.ts';

const shelf = createShelf(goods);
const noSales: Sales = { acknowledged: () => 0, asked: () => 0 };
const product = (id: number, changes: Partial<Product> = {}): object => productJson({ ...(goods.products[id - 1] as Product), ...changes });
const listOf = (...ids: readonly number[]): object[] => ids.map((id) => product(id));
const etag = { etag: '"1"' };

const look = (body: unknown, headers: Answer['headers'] = etag, sales = noSales) =>
  faultInProduct(2, shelf, sales, answerOf(200, body, headers));

describe('a product read by id', () => {
  test('is right as it stands in the catalogue, with members nobody knows yet', () => {
    expect(look({ ...product(2), reviews: [] })).toBeUndefined();
  });
  test.each([
    ['another product', product(3), 'product-content', /product 3 was answered instead of 2/],
    ['a cent more', product(2, { priceCents: 4_551 }), 'price-shown', /shown at 45\.51, its price is 45\.50/],
    ['another name', product(2, { name: 'Chair' }), 'product-content', /name of product 2 is "Chair", not "Small Chair B200"/],
    ['no category', product(2, { categoryId: null }), 'product-content', /categoryId of product 2 is null/],
    ['a stock below zero', product(2, { stock: -1 }), 'stock-shown', /a stock of -1/],
    ['more in stock than there was', product(2, { stock: 52 }), 'stock-shown', /shown with 52 in stock; of 51 at the start 0/],
    ['a price that is a fraction of a cent', { ...product(2), price: 45.501 }, 'answer-shape', /no product/],
    ['a member missing', { id_key: 2 }, 'answer-shape', /no product/],
    ['no JSON', '{"id_key":2,', 'answer-complete', /no JSON/],
  ] as const)('with %s is wrong', (_, body, rule, says) => {
    // A body made as an object goes through JSON with two places, which would mend a fraction.
    const text = rule === 'answer-shape' && 'price' in (body as object) ? JSON.stringify(body) : body;
    const fault = look(text);
    expect(fault?.rule).toBe(rule);
    expect(fault?.detail).toMatch(says);
    expect(fault?.product).toBe(2);
  });
  test('may show less in stock than orders have taken, and never more', () => {
    const sales: Sales = { acknowledged: () => 3, asked: () => 9 };
    expect(look(product(2, { stock: 48 }), etag, sales)).toBeUndefined();
    expect(look(product(2, { stock: 49 }), etag, sales)).toMatchObject({
      rule: 'stock-shown',
      unless: { change: 'restocked', product: 2 },
    });
  });
  test.each([
    ['content-type', 'text/html', /Content-Type is text\/html/],
    ['content-length', '17', /Content-Length is 17, the body has \d+ bytes/],
    ['content-length', undefined, /neither Content-Length nor Transfer-Encoding/],
    ['etag', undefined, /ETag is missing/],
    ['etag', '1', /ETag is 1/],
    ['x-request-id', undefined, /X-Request-ID is missing/],
  ])('with %s %s is wrong', (name, value, says) => {
    expect(look(product(2), { ...etag, [name]: value })).toMatchObject({
      rule: 'answer-headers',
      detail: expect.stringMatching(says) as string,
    });
  });
  test('that the catalogue did not have is taken as it is', () => {
    expect(faultInProduct(99, shelf, noSales, answerOf(200, product(1, { id: 99 }), etag))).toBeUndefined();
  });
});

const lookAtList = (query: ProductQuery, body: unknown, sales = noSales) => faultInProducts(query, shelf, sales, answerOf(200, body));

describe('a list of products', () => {
  const page = { skip: 0, limit: 3 };

  test.each<[string, ProductQuery, readonly number[]]>([
    ['a page', page, [1, 2, 3]],
    ['the last page', { skip: 4, limit: 3 }, [5, 6]],
    ['a page behind the end', { skip: 9, limit: 3 }, []],
    ['cheapest first', { ...page, sortBy: 'price_asc' }, [6, 1, 4]],
    ['dearest first', { ...page, sortBy: 'price_desc' }, [3, 5, 2]],
    ['by name, capitals first', { skip: 0, limit: 6, sortBy: 'name' }, [1, 5, 6, 4, 2, 3]],
    [
      'by name, as a dictionary',
      { skip: 0, limit: 6, sortBy: 'name' },
      [3, 1, 5, 6, 4, 2].toSorted((a, b) => dictionary(a) - dictionary(b)),
    ],
    ['a word in any case', { skip: 0, limit: 6, search: 'BLUE' }, [1, 3]],
    ['a category', { skip: 0, limit: 6, categoryId: 2 }, [2, 4, 6]],
    ['a range of prices, both ends included', { skip: 0, limit: 6, minPriceCents: 1_990, maxPriceCents: 9_999 }, [1, 2, 4, 5]],
  ])('%s is right', (_, query, ids) => {
    expect(lookAtList(query, listOf(...ids))).toBeUndefined();
  });

  test.each<[string, ProductQuery, readonly number[], string, RegExp]>([
    ['cut short', page, [1, 2], 'list-members', /product 3 is missing; 2 items/],
    ['longer than asked for', page, [1, 2, 3, 4], 'list-members', /4 items where at most 3/],
    ['out of order', page, [2, 1, 3], 'list-order', /order of id, answered as products 2, 1, 3/],
    ['with one twice', page, [1, 1, 2], 'list-order', /1, 1, 2/],
    ['of another page', page, [2, 3, 4], 'list-members', /product 1 is missing/],
    ['dear before cheap', { ...page, sortBy: 'price_asc' }, [6, 4, 1], 'list-order', /price_asc/],
    ['by no order of names', { ...page, sortBy: 'name' }, [2, 1, 3], 'list-order', /order of name/],
    ['with another category', { skip: 0, limit: 6, categoryId: 2 }, [2, 3, 4, 6], 'list-filter', /answered product 3/],
    ['above the price', { skip: 0, limit: 6, maxPriceCents: 4_000 }, [1, 2, 4, 6], 'list-filter', /answered product 2/],
    ['without the word', { skip: 0, limit: 6, search: 'lamp' }, [1, 2, 4], 'list-filter', /answered product 2/],
  ])('%s is wrong', (_, query, ids, rule, says) => {
    const fault = lookAtList(query, listOf(...ids));
    expect(fault?.rule).toBe(rule);
    expect(fault?.detail).toMatch(says);
  });

  test('of what is in stock may lack only what may be sold out by now', () => {
    const query = { skip: 0, limit: 6, inStockOnly: true };
    const soldOut: Sales = { acknowledged: () => 0, asked: (id) => (id === 2 ? 51 : 0) };
    expect(lookAtList(query, listOf(1, 2, 3, 4, 5, 6), soldOut)).toBeUndefined();
    expect(lookAtList(query, listOf(1, 3, 4, 5, 6), soldOut)).toBeUndefined();
    // Buyers of another process, or of an earlier phase, may have bought it: that is looked into after the run.
    expect(lookAtList(query, listOf(1, 2, 4, 5, 6), soldOut)).toMatchObject({
      rule: 'list-members',
      unless: { change: 'bought', product: 3 },
    });
    expect(lookAtList({ skip: 0, limit: 6 }, listOf(1, 2, 4, 5, 6))).toMatchObject({ unless: { change: 'edited' } });
    expect(lookAtList(query, [product(1), product(2, { stock: 0 })])).toMatchObject({ rule: 'list-filter' });
    const second = { skip: 2, limit: 2, inStockOnly: true };
    expect(lookAtList(second, listOf(3, 4), soldOut)).toBeUndefined();
    expect(lookAtList(second, listOf(4, 5), soldOut)).toBeUndefined();
    expect(lookAtList(second, listOf(4, 5))).toMatchObject({ rule: 'list-members' });
    expect(lookAtList(second, listOf(2, 3), soldOut)).toMatchObject({ rule: 'list-members' });
    expect(lookAtList({ ...second, skip: 6 }, [])).toBeUndefined();
    expect(lookAtList({ ...second, skip: 5 }, [])).toMatchObject({ rule: 'list-members' });
  });

  test('with a wrong price or stock in it is wrong', () => {
    expect(lookAtList(page, [product(1, { stock: 51 }), product(2), product(3)])).toMatchObject({ rule: 'stock-shown', product: 1 });
    expect(lookAtList({ skip: 0, limit: 6, search: 'old' }, [product(5, { priceCents: 10_000 })])).toMatchObject({
      rule: 'price-shown',
      product: 5,
    });
  });

  test.each([
    ['no list', {}, 'answer-shape'],
    ['an item that is none', [product(1), null], 'answer-shape'],
    ['half a list', '[{"id_key":1}', 'answer-complete'],
  ] as const)('that is %s is wrong', (_, body, rule) => {
    expect(lookAtList(page, body)?.rule).toBe(rule);
  });

  test('whatever is asked for, the right answer passes and one without its first item does not', () => {
    const query = fc.record({
      skip: fc.nat(6),
      limit: fc.integer({ min: 1, max: 6 }),
      sortBy: fc.constantFrom(undefined, ...sortings),
      categoryId: fc.constantFrom(undefined, 1, 2),
      search: fc.constantFrom(undefined, 'lamp', 'chair', 'e'),
      maxPriceCents: fc.constantFrom(undefined, 1_990, 5_000),
    });
    fc.assert(
      fc.property(query, (asked) => {
        const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)) as unknown as ProductQuery;
        const [ids = []] = shelf.idsFor(given);
        expect(lookAtList(given, listOf(...ids))).toBeUndefined();
        expect(ids.length === 0 || lookAtList(given, listOf(...ids.slice(1))) !== undefined).toBe(true);
      }),
    );
  });
});

const dictionary = (id: number): number =>
  goods.products
    .map(({ name }) => name)
    .toSorted(new Intl.Collator('en').compare)
    .indexOf(goods.products[id - 1]?.name ?? '');

test('categories are all there, as they were', () => {
  const right = goods.categories.map(({ id, name }) => ({ id_key: id, name, version: 1 }));
  expect(faultInCategories(shelf, answerOf(200, right))).toBeUndefined();
  expect(faultInCategories(shelf, answerOf(200, right.slice(1)))).toMatchObject({ rule: 'list-members' });
  expect(faultInCategories(shelf, answerOf(200, right.toReversed()))).toMatchObject({ rule: 'list-members' });
  expect(faultInCategories(shelf, answerOf(200, '{}'))).toMatchObject({ rule: 'answer-shape' });
});

test('only a number with at most two places is money', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (cents) => {
      expect(centsOf(Number((cents / 100).toFixed(2)))).toBe(cents);
    }),
  );
  for (const odd of [39.800000000000004, -1, 1e21, Number.NaN, '3', null]) expect(centsOf(odd)).toBeUndefined();
});

test('nothing a server sends makes a look throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
      const answer = answerOf(200, body);
      expect(faultInProduct(1, shelf, noSales, answer)).toBeDefined();
      faultInProducts({ skip: 0, limit: 5 }, shelf, noSales, answer);
      faultInCategories(shelf, answer);
    }),
  );
});
