import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { asOperator, test } from '../processes/running-api.ts';

type Json = any;
/** The calls of the original's pages: lists with a trailing slash, one thing by `/id/{id}`, whatever is no success an exception. */
type Pages = {
  readonly list: (resource: string, query?: string) => Promise<Json[]>;
  readonly one: (resource: string, id: number) => Promise<Json>;
  readonly create: (resource: string, body: object) => Promise<Json>;
  readonly update: (resource: string, id: number, body: object) => Promise<Json>;
  readonly remove: (resource: string, id: number) => Promise<void>;
};

/** @param credentials all that clients of the original did not have */
function pagesOf(url: string, credentials: Readonly<Record<string, string>> = {}): Pages {
  const ask = async (method: string, path: string, body?: object): Promise<Json> => {
    const headers = { ...credentials, ...(body && { 'Content-Type': 'application/json' }) };
    const response = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }), redirect: 'error' });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} ${response.status}: ${JSON.parse(text).detail}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    list: (resource, query = '?skip=0&limit=100') => ask('GET', `/api/v1/${resource}/${query}`),
    one: (resource, id) => ask('GET', `/api/v1/${resource}/id/${id}`),
    create: (resource, body) => ask('POST', `/api/v1/${resource}/`, body),
    update: (resource, id, body) => ask('PUT', `/api/v1/${resource}/id/${id}`, body),
    remove: (resource, id) => ask('DELETE', `/api/v1/${resource}/id/${id}`),
  };
}

const revenue = (list: readonly Json[] = []): number => list.reduce((sum, { total }) => sum + total, 0);

test(
  'a client written against the original shops and keeps shop, unchanged but for its credentials',
  { timeout: 60_000 },
  async ({ start }) => {
    const api = await start();
    const [visitor, admin] = [pagesOf(api.url), pagesOf(api.url, asOperator)];

    // The admin's product form: a select and number inputs, whose values are text.
    const category = await admin.create('categories', { name: 'Iluminación' });
    for (const [name, price, stock] of [
      ['Lámpara', 19.99, '10'],
      ['Vela', 0.5, '3'],
      ['Farol', 120, '0'],
    ]) {
      await admin.create('products', { name, price, stock, category_id: String(category.id_key) });
    }

    // The shop: everything, filtered, and one product.
    const all = await visitor.list('products');
    expect(all.map(({ name }) => name)).toEqual(['Lámpara', 'Vela', 'Farol']);
    const filter = `?search=l%C3%A1mp&category_id=${category.id_key}&min_price=1&max_price=100&in_stock_only=true&sort_by=price_asc&skip=0&limit=20`;
    const [lamp] = await visitor.list('products/filter', filter);
    const candle = await visitor.one('products', all[1].id_key);
    expect([lamp.name, lamp.price, candle.stock]).toEqual(['Lámpara', 19.99, 3]);
    expect((await visitor.list('categories')).map(({ name }) => name)).toEqual(['Iluminación']);

    // Register, log in, and the profile page, which looks for itself in the list of all clients.
    const account = { email: `ana.${randomUUID()}@example.com`, password: 'cuatro cosas distintas' };
    await visitor.create('clients', { name: 'Ana', lastname: 'Vega', telephone: '+34600111222', ...account });
    await expect(visitor.create('clients/login', { ...account, password: 'otra' })).rejects.toThrow('401');
    const session = await visitor.create('clients/login', account);
    const customer = pagesOf(api.url, { Authorization: `Bearer ${session.access_token}` });
    const profile = (await customer.list('clients')).find(({ id_key }) => id_key === session.id_key);
    expect([session.name, profile.email]).toEqual(['Ana', account.email]);
    await customer.create('addresses', { street: 'Gran Vía', number: 'S/N', city: 'Madrid', client_id: session.id_key });

    // The checkout: a bill with a number from the clock, an order, and its lines all at once, at totals that the page has computed.
    const cart = [
      { ...lamp, quantity: 2 },
      { ...candle, quantity: 3 },
    ];
    const total = Number(cart.reduce((sum, { price, quantity }) => sum + price * quantity, 0).toFixed(2));
    const [today] = new Date().toISOString().split('T');
    const bill = await customer.create('bills', {
      bill_number: `FAC-${Date.now()}`,
      discount: 0,
      date: today,
      total,
      payment_type: '2',
      client_id: session.id_key,
    });
    const order = await customer.create('orders', {
      date: new Date().toISOString(),
      total,
      delivery_method: 3,
      status: 1,
      client_id: session.id_key,
      bill_id: bill.id_key,
    });
    const line = ({ id_key: product_id, price, quantity }: Json) => ({ quantity, price, order_id: order.id_key, product_id });
    await Promise.all(cart.map((item) => customer.create('order_details', line(item))));
    await expect(customer.create('order_details', line({ ...candle, quantity: 1 }))).rejects.toThrow('409');
    await customer.create('reviews', { rating: 4.5, comment: 'Alumbra como debe.', product_id: lamp.id_key });
    expect((await visitor.list('reviews')).map(({ rating }) => rating)).toEqual([4.5]);

    // The dashboard: lists, summed up by the page.
    const [orders, bills, details, products] = await Promise.all(
      ['orders', 'bills', 'order_details', 'products'].map((name) => admin.list(name)),
    );
    expect([revenue(orders), revenue(bills), orders?.map(({ status }) => status)]).toEqual([total, total, [1]]);
    expect(details?.map(({ quantity, price }) => quantity * price).toSorted((a, b) => a - b)).toEqual([1.5, 39.98]);
    expect(products?.map(({ stock }) => stock)).toEqual([8, 0, 0]);

    // Back at the forms: an edit, the next state of an order, what may not go and what may.
    const edited = await admin.update('products', lamp.id_key, { name: 'Lámpara', price: 21.5, stock: '8', category_id: category.id_key });
    expect([edited.price, (await customer.one('orders', order.id_key)).total]).toEqual([21.5, total]);
    expect((await admin.update('orders', order.id_key, { status: '2' })).status).toBe(2);
    await expect(admin.remove('products', lamp.id_key)).rejects.toThrow('409');
    await expect(admin.remove('categories', category.id_key)).rejects.toThrow('409');
    await admin.remove('products', all[2].id_key);
    expect(await visitor.list('products')).toHaveLength(2);
  },
);
