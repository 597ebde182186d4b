import { expect } from 'vitest';
import { call } from '#test/support/api-process.ts';
import { asOperator, makeCustomer, makeProduct, orderOf, test } from './running-api.ts';

test('300 buyers at once of 50 pieces, on two workers, buy exactly 50', { timeout: 60_000 }, async ({ start }) => {
  const api = await start();
  const productId = await makeProduct(api, 50);
  const customers = await Promise.all(Array.from({ length: 30 }, () => makeCustomer(api)));
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, index) => {
      const customer = customers[index % customers.length] as (typeof customers)[number];
      return call(`${api.url}/orders`, {
        headers: { ...customer.headers, 'idempotency-key': `buyer-${index}` },
        body: orderOf(customer, productId),
      });
    }),
  );
  const byStatus = (status: number) => answers.filter((answer) => answer.status === status);
  expect(byStatus(201)).toHaveLength(50);
  expect(byStatus(409)).toHaveLength(250);
  for (const { body } of byStatus(409)) expect(body['code']).toBe('insufficient_stock');
  expect((await call(`${api.url}/products/${productId}`)).body['stock']).toBe(0);
  expect((await call(`${api.url}/orders?limit=1000`, { headers: asOperator })).body).toHaveLength(50);
});
