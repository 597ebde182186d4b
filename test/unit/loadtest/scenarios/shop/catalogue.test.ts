import { expect, test } from 'vitest';
import { catalogueOf } from '#loadtest/scenarios/shop/catalogue.ts';
import type { Goods, Product } from '#loadtest/scenarios/shop/shelf.ts';

const product = (id: number, stock: number, name = 'Oak table'): Product => ({
  id,
  name,
  description: null,
  priceCents: 100,
  stock,
  categoryId: null,
  version: 1,
});
const shop = (...products: readonly Product[]): Goods => ({ products, categories: [] });

test('offers for ordering what is plenty in stock', () => {
  const catalogue = catalogueOf(shop(...Array.from({ length: 12 }, (_, i) => product(i + 1, 100)), product(99, 3)), 'o');
  expect(catalogue.orderable).not.toContain(99);
  expect(catalogue.goods.products.map(({ id }) => id)).toContain(99);
});

test('offers whatever is in stock where little is plenty', () => {
  expect(catalogueOf(shop(product(1, 100), product(2, 3), product(3, 0)), 'o').orderable).toEqual([1, 2]);
});

test('takes search words from the names, the same ones whatever the order', () => {
  const products = [product(1, 1, 'Oak Table'), product(2, 1, 'A big LAMP & 3 tables')];
  expect(catalogueOf(shop(...products), 'o').words).toEqual(['lamp', 'table', 'tables']);
  expect(catalogueOf(shop(...products.toReversed()), 'o').words).toEqual(['lamp', 'table', 'tables']);
});

test('refuses a shop in which nothing could be ordered', () => {
  expect(() => catalogueOf(shop(product(1, 0)), 'http://shop')).toThrow(/http:\/\/shop has no product in stock/);
});
