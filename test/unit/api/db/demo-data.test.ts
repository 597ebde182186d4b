import { faker } from '@faker-js/faker/locale/en';
import { expect, test } from 'vitest';
import { makeDemoData } from '#api/db/seed/demo-data.ts';

const make = () => {
  faker.seed(2026);
  return makeDemoData(faker);
};

test('the demo shop is the same each time it is made', () => {
  expect(make()).toEqual(make());
});

test('the demo shop has 12 categories, 1,000 products, 200 clients and 500 orders that go together', () => {
  const { categories, products, clients, orders } = make();
  expect([categories.length, products.length, clients.length, orders.length]).toEqual([12, 1_000, 200, 500]);
  expect(new Set(products.map(({ name }) => name)).size).toBeGreaterThan(990);
  expect(new Set(clients.map(({ email }) => email)).size).toBe(200);
  expect(products.every(({ priceCents, category }) => priceCents > 0 && category < 12)).toBe(true);

  const sold = new Map<number, number>();
  for (const { lines } of orders) for (const { product, quantity } of lines) sold.set(product, (sold.get(product) ?? 0) + quantity);
  expect([...sold].every(([product, quantity]) => quantity <= (products[product]?.firstStock ?? 0))).toBe(true);
  expect(orders.every(({ lines }) => new Set(lines.map(({ product }) => product)).size === lines.length && lines.length > 0)).toBe(true);
});
