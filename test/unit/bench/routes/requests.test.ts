import { expect, test } from 'vitest';
import { createRoutes, type ApiServices } from '#api/shop/routes.ts';
import { routes, routesNamed } from '#bench/routes/requests.ts';

test('the bench asks for each read that the API has, and for nothing that it has not', () => {
  const known = createRoutes({} as ApiServices).map(({ method, path }) => `${method} ${path}`);
  const reads = known.filter((name) => name.startsWith('GET '));
  expect(
    Object.keys(routes)
      .filter((name) => name.startsWith('GET '))
      .toSorted(),
  ).toEqual(reads.toSorted());
  expect(Object.keys(routes).filter((name) => !known.includes(name))).toEqual([]);
});

test('routes are named one by one or by their resource', () => {
  expect(routesNamed(['GET /bills/:id', 'addresses'])).toEqual([
    'GET /addresses',
    'GET /addresses/:id',
    'GET /bills/:id',
    'POST /addresses',
    'PUT /addresses/:id',
  ]);
  expect(routesNamed([])).toEqual(Object.keys(routes));
  expect(() => routesNamed(['carts'])).toThrow('--only carts: there are GET /products,');
});
