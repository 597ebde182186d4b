import { UsageError } from '#lib/errors.ts';
import { createHttpClient, forEachOf, type HttpClient } from '#loadtest/targets/http-client.ts';
import type { ShopClient } from '#loadtest/scenarios/shop/clients.ts';
import type { Arena } from '../play-workload.ts';
import { FloorError } from '../start-floor.ts';
import type { RouteRequest } from './record-routes.ts';

/** What a user of the bench has in the shop, and may ask for. */
export type Belongings = {
  /** Its place among the users, so that no two ask for the same page. */
  readonly index: number;
  readonly clientId: number;
  readonly catalogue: Arena['catalogue'];
  readonly address: number;
  readonly bill: number;
  readonly order: number;
  readonly line: number;
  readonly review: number;
};

type Ask = (of: Belongings) => Omit<RouteRequest, 'method'>;

const pageSize = 20;

/** Of a list, the nth, counted round and round. */
const nth = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

const cart = ({ index, catalogue: { orderable } }: Pick<Belongings, 'index' | 'catalogue'>) =>
  [...new Set([0, 1, 2].map((place) => nth(orderable, 3 * index + place)))].map((product_id) => ({ product_id, quantity: 1 }));

const addressOf = (clientId: number) => ({ client_id: clientId, street: 'Calle Mayor', number: '12 B', city: 'Soria' });

/** Each read of the shop, and the writes that a customer does most; a user asks for what is its own where that is not public. */
export const routes: Readonly<Record<string, Ask>> = {
  'GET /products': ({ index }) => ({ path: `/products?skip=${index}&limit=${pageSize}` }),
  'GET /products/filter': ({ index, catalogue: { words } }) => ({
    path: `/products/filter?search=${nth(words, index)}&max_price=${300 + index}.50&in_stock_only=true&sort_by=price_asc&limit=${pageSize}`,
  }),
  'GET /products/:id': ({ index, catalogue: { goods } }) => ({ path: `/products/${nth(goods.products, index).id}` }),
  'GET /categories': () => ({ path: '/categories' }),
  'GET /categories/:id': ({ index, catalogue: { goods } }) => ({ path: `/categories/${nth(goods.categories, index).id}` }),
  'GET /reviews': ({ index }) => ({ path: `/reviews?skip=${index}&limit=${pageSize}` }),
  'GET /reviews/:id': ({ review }) => ({ path: `/reviews/${review}` }),
  'GET /clients': () => ({ path: '/clients' }),
  'GET /clients/:id': ({ clientId }) => ({ path: `/clients/${clientId}` }),
  'GET /addresses': () => ({ path: '/addresses' }),
  'GET /addresses/:id': ({ address }) => ({ path: `/addresses/${address}` }),
  'GET /bills': () => ({ path: '/bills' }),
  'GET /bills/:id': ({ bill }) => ({ path: `/bills/${bill}` }),
  'GET /orders': () => ({ path: '/orders' }),
  'GET /orders/:id': ({ order }) => ({ path: `/orders/${order}` }),
  'GET /orders/:id/events': ({ order }) => ({ path: `/orders/${order}/events` }),
  'GET /order_details': ({ order }) => ({ path: `/order_details?order_id=${order}` }),
  'GET /order_details/:id': ({ line }) => ({ path: `/order_details/${line}` }),
  'POST /orders': (of) => ({ path: '/orders', body: { client_id: of.clientId, delivery_method: 1, lines: cart(of) } }),
  'POST /bills': ({ clientId }) => ({ path: '/bills', body: { client_id: clientId, payment_type: 2 } }),
  'POST /addresses': ({ clientId }) => ({ path: '/addresses', body: addressOf(clientId) }),
  'PUT /addresses/:id': ({ clientId, address }) => ({ path: `/addresses/${address}`, body: addressOf(clientId) }),
  'PUT /reviews/:id': ({ review }) => ({ path: `/reviews/${review}`, body: { rating: 4, comment: 'Alumbra bien, y lejos.' } }),
  'PUT /order_details/:id': ({ line }) => ({ path: `/order_details/${line}`, body: { quantity: 1 } }),
};

export const methodOf = (route: string): RouteRequest['method'] => route.split(' ')[0] as RouteRequest['method'];

const isOf = (name: string) => (route: string) => route === name || route.split('/')[1] === name;

/** The routes that are named, or whose resource is; all of them where nothing is named. @throws {UsageError} */
export function routesNamed(names: readonly string[]): string[] {
  const all = Object.keys(routes);
  const unknown = names.find((name) => !all.some(isOf(name)));
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: there are ${all.join(', ')}`);
  return names.length === 0 ? all : all.filter((route) => names.some((name) => isOf(name)(route)));
}

/** How many of each thing a user has, so that its lists are as long as people's are. */
const each = 5;

/** Gives each user what it will ask for. @throws {FloorError} when the shop refuses */
export async function furnish(origin: string, clients: readonly ShopClient[], catalogue: Arena['catalogue']): Promise<Belongings[]> {
  const http = createHttpClient(origin, 8);
  const furnished: Belongings[] = [];
  try {
    await forEachOf([...clients.entries()], 8, async ([index, client]) => {
      furnished[index] = await belongingsOf(http, { ...client, index, catalogue });
    });
    return furnished;
  } finally {
    await http.close();
  }
}

async function belongingsOf(
  http: HttpClient,
  { accessToken, clientId, ...rest }: ShopClient & Pick<Belongings, 'index' | 'catalogue'>,
): Promise<Belongings> {
  const make = async (path: string, body: object): Promise<{ id_key: number; lines?: { id_key: number }[] }> => {
    const headers = { authorization: `Bearer ${accessToken}` };
    const { status, json, text } = await http.send({ method: 'POST', path: `/api/v1${path}`, headers, body });
    if (status !== 201) throw new FloorError(`POST ${path} was answered ${status}: ${text}`);
    return json as { id_key: number };
  };
  let made: Belongings | undefined;
  for (let number = 0; number < each; number += 1) {
    const { id_key: address } = await make('/addresses', addressOf(clientId));
    const { id_key: bill } = await make('/bills', { client_id: clientId, payment_type: 1 });
    const lines = cart({ ...rest, index: rest.index + number });
    const placed = await make('/orders', { client_id: clientId, delivery_method: 1, bill_id: bill, lines });
    const review = {
      rating: 4.5,
      comment: 'Alumbra "bien".',
      product_id: nth(rest.catalogue.goods.products, each * rest.index + number).id,
    };
    const { id_key: reviewId } = await make('/reviews', review);
    made = {
      ...rest,
      clientId,
      address,
      bill,
      order: placed.id_key,
      line: nth(placed.lines ?? [], 0).id_key,
      review: reviewId,
    };
  }
  return made as Belongings;
}
