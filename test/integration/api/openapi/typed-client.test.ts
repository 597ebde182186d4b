import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { paths, Shown } from '#api/openapi/paths.ts';
import { answered, apiClient, newCustomer } from '#test/support/shop.ts';
import { asOperator, test } from '../processes/running-api.ts';

describe('a client typed by the document', { timeout: 60_000 }, () => {
  test('shops, is told why it may not, and reads what it bought', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false' });
    const operator = apiClient(api.url, asOperator);
    const { id_key: productId, price } = await answered(operator.POST('/products', { body: { name: 'Lamp', price: 19.99, stock: 3 } }));
    const found = await answered(operator.GET('/products/filter', { params: { query: { min_price: 19.99, in_stock_only: true } } }));
    expect(found.map(({ id_key: id }) => id)).toEqual([productId]);

    const customer = await newCustomer(api.url);
    const order = await customer.buy(productId, 2);
    expect([order.total, order.lines.map((line) => [line.product_id, line.price])]).toEqual([price * 2, [[productId, price]]]);
    await expect(customer.buy(productId, 2)).rejects.toThrow('insufficient_stock');
    expect((await customer.orders()).map(({ id_key: id }) => id)).toEqual([order.id_key]);

    const path = { id: order.id_key };
    const { error } = await operator.PUT('/orders/{id}', {
      params: { path, header: { 'If-Match': '"99-00000000"' } },
      body: { status: 2 },
    });
    expect(error?.code).toBe('version_mismatch');
    const canceled = await operator.POST('/orders/{id}/cancel', { params: { path, header: { 'Idempotency-Key': randomUUID() } } });
    expect([canceled.response.status, canceled.data?.status]).toEqual([200, 4]);
  });

  test('does not compile where it asks for what there is not', () => {
    const client = apiClient('http://127.0.0.1:1');
    const order = {} as Shown<'/orders/{id}'>;
    const wrong = [
      // @ts-expect-error no such member
      () => order.discount,
      // @ts-expect-error no such path
      () => client.GET('/orderz'),
      // @ts-expect-error no such method
      () => client.DELETE('/products'),
      // @ts-expect-error no such parameter
      () => client.GET('/products', { params: { query: { page: 1 } } }),
      // @ts-expect-error a price is a number
      () => client.POST('/products', { body: { name: 'Lamp', price: '1' } }),
      // @ts-expect-error a review has stars
      () => client.POST('/reviews', { body: { product_id: 1 } }),
    ];
    // @ts-expect-error the path of one thing has an id
    const unnamed: paths['/orders/{id}']['get']['parameters'] = {};
    expect([wrong.length, unnamed]).toEqual([6, {}]);
  });
});
