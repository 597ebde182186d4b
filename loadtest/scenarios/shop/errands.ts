import { judgeStatus, type Errand, type ErrandOptions, type Judged, type Look } from './errand.ts';
import type { Answer, Excuse, Fault } from './faults.ts';
import type { AskedOrder } from './look-at-orders.ts';
import { faultInForeignOrder, faultInOwnOrder, faultInOwnOrders, type Acknowledged } from './look-at-own-orders.ts';
import { faultInCategories, faultInProduct, faultInProducts, type Sales } from './look-at-products.ts';
import { orderErrand } from './order-errand.ts';
import type { ProductQuery } from './shelf.ts';

export type Errands = ReturnType<typeof createErrands>;

/** The requests one buyer can make. Each is made the moment before it is sent. */
export const createErrands = (options: ErrandOptions) => ({
  ...catalogueErrands(options),
  ...orderErrands(options),
  order: (asked: AskedOrder, endpoint: string): Errand => orderErrand(asked, endpoint, options),
});

const reading = (endpoint: string, path: string, { headers }: ErrandOptions, look: Look, unless?: Excuse): Errand => ({
  endpoint,
  method: 'GET',
  path: `/api/v1${path}`,
  headers,
  judge: (answer) => judgeStatus(answer, 200, look, unless),
});

function catalogueErrands(options: ErrandOptions) {
  const { shelf, market, now } = options;
  /** Only what was answered before now binds the answer. */
  const withSales = (look: (sales: Sales, answer: Answer) => Fault | undefined): Look => {
    const sales = market.salesFor(now());
    return (answer) => look(sales, answer);
  };
  const list = (endpoint: string, query: ProductQuery, path: string): Errand => {
    const look = withSales((sales, answer) => faultInProducts(query, shelf, sales, answer));
    return reading(endpoint, path, options, look);
  };
  return {
    categories: () => reading('GET /categories', '/categories?limit=1000', options, (answer) => faultInCategories(shelf, answer)),
    page: (query: ProductQuery) => list('GET /products', query, `/products?skip=${query.skip}&limit=${query.limit}`),
    filter: (query: ProductQuery) => list('GET /products/filter', query, `/products/filter?${searchOf(query)}`),
    product: (id: number) => {
      const look = withSales((sales, answer) => faultInProduct(id, shelf, sales, answer));
      return reading('GET /products/:id', `/products/${id}`, options, look, { change: 'edited', product: id });
    },
  };
}

function orderErrands(options: ErrandOptions) {
  const { buyer } = options;
  return {
    ownOrder: (placed: Acknowledged) =>
      reading('GET /orders/:id', `/orders/${placed.order.id}`, options, (answer) => faultInOwnOrder(placed, answer)),
    ownOrders: () => {
      const own = buyer.own();
      const page = { skip: Math.max(0, own.count - ownOrdersLimit / 2), limit: ownOrdersLimit };
      const path = `/orders?skip=${page.skip}&limit=${page.limit}`;
      return reading('GET /orders', path, options, (answer) => faultInOwnOrders(page, own, answer));
    },
    foreignOrder: (id: number): Errand => ({
      ...reading("GET /orders/:id (another's)", `/orders/${id}`, options, () => undefined),
      judge: (answer) => judgeForeign(id, answer),
    }),
  };
}

const ownOrdersLimit = 20;

function searchOf(query: ProductQuery): string {
  const search = new URLSearchParams();
  const put = (name: string, value: string | number | undefined): void => void (value !== undefined && search.set(name, String(value)));
  put('skip', query.skip === 0 ? undefined : query.skip);
  put('limit', query.limit);
  put('sort_by', query.sortBy);
  put('category_id', query.categoryId);
  put('search', query.search);
  put('min_price', query.minPriceCents && query.minPriceCents / 100);
  put('max_price', query.maxPriceCents && query.maxPriceCents / 100);
  put('in_stock_only', query.inStockOnly === true ? 'true' : undefined);
  return search.toString();
}

function judgeForeign(id: number, answer: Answer): Judged {
  if (answer.status === 429 || answer.status >= 500) return judgeStatus(answer, 404, () => undefined);
  const fault = faultInForeignOrder(id, answer);
  return fault ? { outcome: 'wrong-answer', fault } : { outcome: 'ok' };
}
