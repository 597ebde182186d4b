import { pick, pickWeighted, randomInt, type Random } from '../../generate/random.ts';
import type { ShopRequest } from './answers.ts';
import { slowEndpoint } from './slow-query.ts';

/** What a journey chooses from. Read once before the run, so that choices depend on the seed and not on answers. */
export type Catalogue = {
  readonly productIds: readonly number[];
  /** Products with enough stock to be bought all through a run. */
  readonly orderableIds: readonly number[];
  readonly categoryIds: readonly number[];
  /** Words that occur in product names. */
  readonly words: readonly string[];
};

/** Kinds of visit to the shop and their weights. */
export type VisitWeights = Readonly<Record<'browse' | 'buy' | 'lookBack', number>>;

export type JourneyOptions = {
  readonly catalogue: Catalogue;
  readonly random: Random;
  readonly weights: VisitWeights;
  /** Whose orders the journey places. */
  readonly clientId: number;
  /** Begins every Idempotency-Key; unique to this user in this run. */
  readonly keyPrefix: string;
  /** Share of steps, 0–1, replaced by an order that runs into the slow query (see slow-query). */
  readonly slowShare: number;
};

/** Part of the orders sent a second time with the same key, as a buyer with a bad connection does. */
const repeatedShare = 0.1;

/**
 * One user's endless walk through the shop, visit after visit: some only browse, some buy, some look at what they
 * bought. The same seed gives the same requests, byte for byte, however the server answers.
 */
export function* createJourney(options: JourneyOptions): Generator<ShopRequest, never> {
  const { random } = options;
  const orders = { placed: 0 };
  for (;;) {
    for (const step of visits[pickWeighted(random, options.weights)](options, orders)) {
      yield random() < options.slowShare ? slowOrder(options, (orders.placed += 1)) : step;
    }
  }
}

/** One product after another: the bench's reading half. */
export function* createReading({ catalogue, random }: JourneyOptions): Generator<ShopRequest, never> {
  for (;;) yield* readProducts(catalogue, random, 1);
}

/** One order of three lines after another: the bench's writing half. */
export function* createOrdering(options: JourneyOptions): Generator<ShopRequest, never> {
  for (let number = 1; ; number += 1) yield placeOrder(options, number, 3);
}

type Placed = { placed: number };

const visits: Record<keyof VisitWeights, (options: JourneyOptions, orders: Placed) => ShopRequest[]> = {
  browse: ({ catalogue, random }) => {
    const steps = [random() < 0.5 ? listProducts(catalogue, random) : filterProducts(catalogue, random)];
    if (random() < 0.2) steps.unshift(listCategories());
    return [...steps, ...readProducts(catalogue, random, randomInt(random, 1, 4))];
  },
  buy: (options, orders) => {
    const { catalogue, random } = options;
    const order = placeOrder(options, (orders.placed += 1));
    const again = random() < repeatedShare ? [{ ...order, endpoint: 'POST /orders (again)' }] : [];
    return [filterProducts(catalogue, random), ...readProducts(catalogue, random, randomInt(random, 1, 3)), order, ...again];
  },
  lookBack: ({ catalogue, random }) => [listOrders(), ...readProducts(catalogue, random, 1)],
};

const listCategories = (): ShopRequest => ({
  endpoint: 'GET /categories',
  method: 'GET',
  path: '/api/v1/categories',
  expects: { kind: 'list' },
});

const listOrders = (): ShopRequest => ({
  endpoint: 'GET /orders',
  method: 'GET',
  path: '/api/v1/orders?limit=20',
  expects: { kind: 'list' },
});

function listProducts(catalogue: Catalogue, random: Random): ShopRequest {
  const skip = 20 * randomInt(random, 0, Math.floor(Math.max(0, catalogue.productIds.length - 1) / 20));
  return { endpoint: 'GET /products', method: 'GET', path: `/api/v1/products?skip=${skip}&limit=20`, expects: { kind: 'list' } };
}

function filterProducts(catalogue: Catalogue, random: Random): ShopRequest {
  const query = new URLSearchParams({ limit: '20', sort_by: pick(random, ['price_asc', 'price_desc', 'name']) });
  const by = pick(random, ['category', 'word', 'price'] as const);
  if (by === 'category' && catalogue.categoryIds.length > 0) query.set('category_id', String(pick(random, catalogue.categoryIds)));
  if (by === 'word' && catalogue.words.length > 0) query.set('search', pick(random, catalogue.words));
  if (by === 'price') query.set('max_price', String(randomInt(random, 20, 500)));
  return {
    endpoint: 'GET /products/filter',
    method: 'GET',
    path: `/api/v1/products/filter?${query.toString()}`,
    expects: { kind: 'list' },
  };
}

function readProducts(catalogue: Catalogue, random: Random, count: number): ShopRequest[] {
  return Array.from({ length: count }, () => {
    const id = pick(random, catalogue.productIds);
    return { endpoint: 'GET /products/:id', method: 'GET', path: `/api/v1/products/${id}`, expects: { kind: 'one', id } };
  });
}

function placeOrder(options: JourneyOptions, number: number, lineCount = randomInt(options.random, 1, 3)): ShopRequest {
  const { catalogue, random } = options;
  const wanted = Math.min(lineCount, catalogue.orderableIds.length);
  const productIds = new Set<number>();
  while (productIds.size < wanted) productIds.add(pick(random, catalogue.orderableIds));
  const lines = [...productIds].map((productId) => ({ product_id: productId, quantity: randomInt(random, 1, 2) }));
  return orderStep(options, { endpoint: 'POST /orders', deliveryMethod: randomInt(random, 1, 3), lines, number });
}

/** An order without lines: it touches no product row, so what makes it slow holds a connection and no lock. */
function slowOrder(options: JourneyOptions, number: number): ShopRequest {
  return orderStep(options, { endpoint: slowEndpoint, deliveryMethod: 3, lines: [], number });
}

type OrderRequest = {
  readonly endpoint: string;
  readonly deliveryMethod: number;
  readonly lines: readonly { product_id: number; quantity: number }[];
  readonly number: number;
};

function orderStep(options: JourneyOptions, request: OrderRequest): ShopRequest {
  return {
    endpoint: request.endpoint,
    method: 'POST',
    path: '/api/v1/orders',
    body: JSON.stringify({
      client_id: options.clientId,
      delivery_method: request.deliveryMethod,
      ...(request.lines.length > 0 ? { lines: request.lines } : {}),
    }),
    idempotencyKey: `${options.keyPrefix}-${request.number}`,
    expects: { kind: 'order', lines: request.lines.length },
  };
}
