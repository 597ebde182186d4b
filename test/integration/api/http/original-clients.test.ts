import { describe, expect } from 'vitest';
import { call } from '#test/support/api-process.ts';
import { asOperator, makeCustomer, makeProduct, test } from '../processes/running-api.ts';

const names = (body: unknown): string[] => (body as { name: string }[]).map(({ name }) => name);

describe('clients of the original API', { timeout: 60_000 }, () => {
  test('sort, filter and flag as they are used to; without an order the newest product comes first', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false' });
    for (const [name, price, stock] of [
      ['Bench', 30, 0],
      ['Armchair', 20, 4],
      ['Clock', 10, 1],
    ] as const) {
      const { status } = await call(`${api.url}/products`, { headers: asOperator, body: { name, price, stock } });
      expect(status).toBe(201);
    }
    const found = async (query: string) => names((await call(`${api.url}/products/filter?${query}`)).body);
    expect(await found('')).toEqual(['Clock', 'Armchair', 'Bench']);
    expect(await found('sort_by=name_asc')).toEqual(['Armchair', 'Bench', 'Clock']);
    expect(await found('sort_by=name')).toEqual(['Armchair', 'Bench', 'Clock']);
    expect(await found('sort_by=name_desc')).toEqual(['Clock', 'Bench', 'Armchair']);
    expect(await found('sort_by=price_asc')).toEqual(['Clock', 'Armchair', 'Bench']);
    for (const yes of ['true', 'True', '1', 'on', 'yes', 'YES']) {
      expect([yes, ...(await found(`in_stock_only=${yes}&sort_by=name`))]).toEqual([yes, 'Armchair', 'Clock']);
    }
    for (const no of ['false', 'False', '0', 'off', 'no']) expect([no, ...(await found(`in_stock_only=${no}`))]).toHaveLength(4);
    expect((await call(`${api.url}/products/filter?in_stock_only=perhaps`)).status).toBe(422);
  });

  test('send whole numbers as text from their forms, and what they read back whole', async ({ api }) => {
    const category = await call(`${api.url}/categories`, { headers: asOperator, body: { name: 'Garden' } });
    const categoryId = category.body['id_key'] as number;
    const form = { name: 'Rake', price: 9.5, stock: '12', category_id: String(categoryId) };
    const made = await call(`${api.url}/products`, { headers: asOperator, body: form });
    expect([made.status, made.body]).toMatchObject([201, { stock: 12, category_id: categoryId }]);

    const id = made.body['id_key'] as number;
    const put = (body: object) => call(`${api.url}/products/${id}`, { method: 'PUT', headers: asOperator, body });
    expect((await put({ id_key: id, price: 8 })).body['price']).toBe(8);
    expect((await put({ id_key: String(id), stock: 5 })).body['stock']).toBe(5);
    const lying = await put({ id_key: id + 1, price: 1 });
    expect([lying.status, lying.body['errors']]).toEqual([422, [{ pointer: '/id_key', message: 'is not the id in the path' }]]);
    expect((await call(`${api.url}/products/${id}`)).body['price']).toBe(8);
    for (const stock of ['1.5', '-1', 'many', '']) expect([stock, (await put({ stock })).status]).toEqual([stock, 422]);
  });

  test('send a status and a date with an order, which the server decides itself', async ({ api }) => {
    const [customer, product] = [await makeCustomer(api), await makeProduct(api, 5)];
    const order = {
      client_id: customer.id,
      delivery_method: '3',
      status: 3,
      date: '1999-12-31T00:00:00',
      total: 0,
      lines: [],
    };
    const { lines: _none, ...empty } = order;
    const started = await call(`${api.url}/orders`, { headers: customer.headers, body: empty });
    expect([started.status, started.body]).toMatchObject([201, { status: 1, delivery_method: 3 }]);
    expect(String(started.body['date'])).not.toContain('1999');
    const lines = [{ product_id: String(product), quantity: '2' }];
    const placed = await call(`${api.url}/orders`, { headers: customer.headers, body: { ...empty, total: 39.98, lines } });
    expect([placed.status, placed.body]).toMatchObject([201, { status: 1, total: 39.98 }]);
  });

  test('ask for the list of clients to show a profile, and see only themselves', async ({ api }) => {
    const [ada, bob] = [await makeCustomer(api), await makeCustomer(api)];
    const ids = async (headers: Record<string, string>, query = '') =>
      ((await call(`${api.url}/clients/${query}`, { headers })).body as unknown as { id_key: number }[]).map(({ id_key }) => id_key);
    expect(await ids({ ...ada.headers })).toEqual([ada.id]);
    expect(await ids({ ...bob.headers }, '?limit=1')).toEqual([bob.id]);
    expect(await ids({ ...bob.headers }, '?skip=1')).toEqual([]);
    expect(await ids(asOperator)).toEqual(expect.arrayContaining([ada.id, bob.id]));
  });

  test('log in with JSON that does not say that it is JSON', async ({ api }) => {
    const person = { name: 'Ada', lastname: 'L', email: 'ada@example.com', password: 'analytical engine' };
    expect((await call(`${api.url}/clients`, { body: person })).status).toBe(201);
    const credentials = JSON.stringify({ email: person.email, password: person.password });
    // A Blob without a type is sent without Content-Type.
    const untyped = await fetch(`${api.url}/clients/login`, { method: 'POST', body: new Blob([credentials]) });
    expect(untyped.status).toBe(200);
    const form = await fetch(`${api.url}/clients/login`, { method: 'POST', body: new URLSearchParams({ email: person.email }) });
    expect(form.status).toBe(415);
  });
});
