import { randomBytes } from 'node:crypto';
import createClient, { type Client } from 'openapi-fetch';
import type { paths, Shown } from '#api/openapi/paths.ts';

export type Product = Shown<'/products/{id}'>;
export type Order = Shown<'/orders/{id}'>;

export type Customer = {
  readonly clientId: number;
  readonly buy: (productId: number, quantity: number) => Promise<Order>;
  readonly orders: () => Promise<Shown<'/orders'>>;
};

const timeoutMs = 10_000;

/** A client of the API whose types are those of its document. */
export const apiClient = (apiUrl: string, headers: Readonly<Record<string, string>> = {}): Client<paths> =>
  createClient<paths>({
    baseUrl: `${apiUrl}/api/v1`,
    headers,
    fetch: (request) => fetch(request, { signal: AbortSignal.timeout(timeoutMs) }),
  });

/** What was answered. @throws what was answered instead, unless that is a success */
export async function answered<T>(
  asked: Promise<{ readonly data?: T; readonly error?: unknown; readonly response: Response }>,
): Promise<T> {
  const { data, error, response } = await asked;
  if (data !== undefined) return data;
  throw new Error(`${response.url} was answered ${response.status}: ${JSON.stringify(error)}`);
}

/** Registers a new customer and logs in. */
export async function newCustomer(apiUrl: string): Promise<Customer> {
  const anybody = apiClient(apiUrl);
  const credentials = { email: `ana.${randomBytes(6).toString('hex')}@example.com`, password: randomBytes(12).toString('hex') };
  const { id_key: clientId } = await answered(anybody.POST('/clients', { body: { name: 'Ana', lastname: 'Vega', ...credentials } }));
  const { access_token: token } = await answered(anybody.POST('/clients/login', { body: credentials }));
  const own = apiClient(apiUrl, { authorization: `Bearer ${token}` });
  return {
    clientId,
    buy: (productId, quantity) => {
      const lines = [{ product_id: productId, quantity }];
      return answered(own.POST('/orders', { body: { client_id: clientId, delivery_method: 1, lines } }));
    },
    orders: () => answered(own.GET('/orders')),
  };
}

export const product = (apiUrl: string, id: number): Promise<Product> =>
  answered(apiClient(apiUrl).GET('/products/{id}', { params: { path: { id } } }));

/** A product with at least that many pieces. */
export async function productInStock(apiUrl: string, least: number): Promise<Shown<'/products'>[number]> {
  const products = await answered(apiClient(apiUrl).GET('/products', { params: { query: { limit: 1_000 } } }));
  const found = products.find(({ stock }) => stock >= least);
  if (!found) throw new Error(`no product has ${least} pieces`);
  return found;
}
