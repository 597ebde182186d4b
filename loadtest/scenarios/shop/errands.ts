import type { Step } from '../../generate/step.ts';
import type { Buyer } from './buyer.ts';
import { problemCode, type Answer, type Excuse, type Fault } from './faults.ts';
import type { OrderAttempt } from './history.ts';
import type { AskedOrder } from './look-at-orders.ts';
import { faultInForeignOrder, faultInOwnOrder, faultInOwnOrders, type Acknowledged } from './look-at-own-orders.ts';
import { faultInCategories, faultInProduct, faultInProducts, type Sales } from './look-at-products.ts';
import type { Market } from './market.ts';
import { orderErrand } from './order-errand.ts';
import type { ProductQuery, Shelf } from './shelf.ts';

/** What an answer was worth, and what is wrong with it. */
export type Judged = { readonly outcome: 'ok' | 'refused' | 'limited' | 'http-error' | 'wrong-answer'; readonly fault?: Fault };

/** A request of the shop that knows what its answer must be, and tells the buyer's memory of it. */
export type Errand = Step & {
  readonly key?: string;
  readonly judge: (answer: Answer) => Judged;
  /** No answer came. */
  readonly lost?: () => void;
};

export type ErrandOptions = {
  readonly shelf: Shelf;
  readonly market: Market;
  readonly buyer: Buyer;
  /** The buyer's credential. */
  readonly headers: Readonly<Record<string, string>>;
  readonly record: (attempt: OrderAttempt) => void;
  readonly now: () => number;
};

export type Errands = ReturnType<typeof createErrands>;

/** The requests one buyer can make. Each is made the moment before it is sent. */
export const createErrands = (options: ErrandOptions) => ({
  ...catalogueErrands(options),
  ...orderErrands(options),
  order: (asked: AskedOrder, endpoint: string): Errand => orderErrand(asked, endpoint, options),
});

type Look = (answer: Answer) => Fault | undefined;

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

/** Statuses first: the limit of rates, and what a server may say when it is in trouble, are counted elsewhere. */
export function judgeStatus(answer: Answer, wanted: number, look: Look, unless?: Excuse): Judged {
  const { status } = answer;
  if (status === 429) return { outcome: 'limited' };
  if (status >= 500) return { outcome: 'http-error' };
  const fault = status === wanted ? look(answer) : { ...wrongStatus(answer, wanted), ...(unless && { unless }) };
  return fault ? { outcome: 'wrong-answer', fault } : { outcome: 'ok' };
}

function wrongStatus({ status, body }: Answer, wanted: number): Fault {
  return { rule: 'answer-status', detail: `${status} (${problemCode(body) ?? body.slice(0, 80)}) instead of ${wanted}` };
}

function judgeForeign(id: number, answer: Answer): Judged {
  if (answer.status === 429 || answer.status >= 500) return judgeStatus(answer, 404, () => undefined);
  const fault = faultInForeignOrder(id, answer);
  return fault ? { outcome: 'wrong-answer', fault } : { outcome: 'ok' };
}
