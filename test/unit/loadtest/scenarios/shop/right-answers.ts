import type { Answer } from '#loadtest/scenarios/shop/faults.ts';
import type { AskedOrder } from '#loadtest/scenarios/shop/look-at-orders.ts';
import type { Goods, Product } from '#loadtest/scenarios/shop/shelf.ts';

/** A small shop and the answers a right API would give of it. */

const names = ['Blue Lamp A100', 'Small Chair B200', 'blue desk C300', 'Red Lamp D400', 'Old Shelf E500', 'Red Chair F600'];

export const goods: Goods = {
  products: names.map((name, i) => ({
    id: i + 1,
    name,
    description: i === 2 ? null : `About ${name}`,
    priceCents: [1_990, 4_550, 12_000, 1_990, 9_999, 3][i] as number,
    stock: 50 + i,
    categoryId: (i % 2) + 1,
    version: 1,
  })),
  categories: [
    { id: 1, name: 'Lamps' },
    { id: 2, name: 'Chairs' },
  ],
};

/** JSON as the API writes it: money with two places. */
const json = (value: unknown): string =>
  JSON.stringify(value, (name, member: unknown) =>
    name === 'price' || name === 'total' ? `#${(member as number).toFixed(2)}#` : member,
  ).replaceAll(/"#([\d.-]+)#"/g, '$1');

export const productJson = ({ id, name, description, priceCents, stock, categoryId, version }: Product): object => ({
  id_key: id,
  name,
  description,
  price: priceCents / 100,
  stock,
  category_id: categoryId,
  version,
});

/** An answer with every header field it should have, unless others are given. */
export function answerOf(status: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  const text = typeof body === 'string' ? body : json(body);
  return {
    status,
    body: text,
    headers: {
      'content-type': status < 300 ? 'application/json' : 'application/problem+json',
      'content-length': String(Buffer.byteLength(text)),
      'x-request-id': 'r-1',
      ...headers,
    },
  };
}

export const problem = (status: number, code: string): Answer => answerOf(status, { status, code });

export const asked: AskedOrder = {
  key: 'k-1',
  client: 77,
  deliveryMethod: 2,
  lines: [
    { product: 1, quantity: 2 },
    { product: 6, quantity: 1 },
  ],
};

export type OrderJson = {
  id_key: number;
  date: string;
  total: number;
  delivery_method: number;
  status: number;
  client_id: number;
  version: number;
  lines: { id_key: number; product_id: number; product_name: string; quantity: number; price: number }[];
};

/** `asked` as the API answers it. */
export function orderJson(id = 9, changes: Partial<OrderJson> = {}): OrderJson {
  const lines = asked.lines.map(({ product, quantity }, i) => {
    const { name, priceCents } = goods.products[product - 1] as Product;
    return { id_key: 10 * id + i, product_id: product, product_name: name, quantity, price: priceCents / 100 };
  });
  return {
    id_key: id,
    date: '2026-01-01T00:00:00.000Z',
    total: 39.83,
    delivery_method: 2,
    status: 1,
    client_id: 77,
    version: 1,
    lines,
    ...changes,
  };
}

export const placedAnswer = (order: OrderJson = orderJson(), headers: Answer['headers'] = {}): Answer =>
  answerOf(201, order, { etag: '"1"', location: `/api/v1/orders/${order.id_key}`, ...headers });
