import { randomBytes } from 'node:crypto';

export type Product = { readonly id_key: number; readonly name: string; readonly price: number; readonly stock: number };
export type Order = { readonly id_key: number; readonly total: number; readonly client_id: number; readonly lines: readonly unknown[] };

export type Customer = {
  readonly clientId: number;
  readonly buy: (productId: number, quantity: number) => Promise<Order>;
  readonly orders: () => Promise<Order[]>;
};

const timeoutMs = 10_000;

/** A JSON request to the API. @throws what was answered, unless that is a success */
async function call<T>(url: string, options: { method?: string; body?: unknown; token?: string } = {}): Promise<T> {
  const response = await fetch(url, {
    method: options.method ?? 'GET',
    headers: { 'content-type': 'application/json', ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }) },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${options.method ?? 'GET'} ${url} was answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** Registers a new customer and logs in. */
export async function newCustomer(apiUrl: string): Promise<Customer> {
  const email = `ana.${randomBytes(6).toString('hex')}@example.com`;
  const password = randomBytes(12).toString('hex');
  const registration = { name: 'Ana', lastname: 'Vega', email, password };
  const { id_key: clientId } = await call<{ id_key: number }>(`${apiUrl}/api/v1/clients`, { method: 'POST', body: registration });
  const login = await call<{ access_token: string }>(`${apiUrl}/api/v1/clients/login`, { method: 'POST', body: { email, password } });
  const token = login.access_token;
  return {
    clientId,
    buy: (productId, quantity) => {
      const body = { client_id: clientId, delivery_method: 1, lines: [{ product_id: productId, quantity }] };
      return call<Order>(`${apiUrl}/api/v1/orders`, { method: 'POST', token, body });
    },
    orders: () => call<Order[]>(`${apiUrl}/api/v1/orders`, { token }),
  };
}

export const product = (apiUrl: string, id: number): Promise<Product> => call<Product>(`${apiUrl}/api/v1/products/${id}`);

/** A product with at least that many pieces. */
export async function productInStock(apiUrl: string, least: number): Promise<Product> {
  const products = await call<Product[]>(`${apiUrl}/api/v1/products?limit=1000`);
  const found = products.find(({ stock }) => stock >= least);
  if (!found) throw new Error(`no product has ${least} pieces`);
  return found;
}
