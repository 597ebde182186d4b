import type { Step } from '../../generate/step.ts';
import type { Buyer } from './buyer.ts';
import { problemCode, type Answer, type Fault } from './faults.ts';
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
export function createErrands(options: ErrandOptions) {
  const { shelf, market, buyer, headers } = options;
  const read = (endpoint: string, path: string, look: (answer: Answer) => Fault | undefined): Errand => ({
    endpoint,
    method: 'GET',
    path: `/api/v1${path}`,
    headers,
    judge: (answer) => judgeStatus(answer, 200, look),
  });
  /** Only what was answered before now binds the answer. */
  const withSales = (look: (sales: Sales, answer: Answer) => Fault | undefined): ((answer: Answer) => Fault | undefined) => {
    const sales = market.salesFor(options.now());
    return (answer) => look(sales, answer);
  };
  return {
    categories: () => read('GET /categories', '/categories?limit=1000', (answer) => faultInCategories(shelf, answer)),
    page: (query: ProductQuery) =>
      read(
        'GET /products',
        `/products?skip=${query.skip}&limit=${query.limit}`,
        withSales((sales, answer) => faultInProducts(query, shelf, sales, answer)),
      ),
    filter: (query: ProductQuery) =>
      read(
        'GET /products/filter',
        `/products/filter?${searchOf(query)}`,
        withSales((sales, answer) => faultInProducts(query, shelf, sales, answer)),
      ),
    product: (id: number): Errand => {
      const look = withSales((sales, answer) => faultInProduct(id, shelf, sales, answer));
      const errand = read('GET /products/:id', `/products/${id}`, look);
      return { ...errand, judge: (answer) => judgeStatus(answer, 200, look, { change: 'edited', product: id }) };
    },
    /** The last order this buyer placed. */
    ownOrder: (placed: Acknowledged) => read('GET /orders/:id', `/orders/${placed.order.id}`, (answer) => faultInOwnOrder(placed, answer)),
    ownOrders: () => {
      const own = buyer.own();
      const page = { skip: Math.max(0, own.count - ownOrdersLimit / 2), limit: ownOrdersLimit };
      return read('GET /orders', `/orders?skip=${page.skip}&limit=${page.limit}`, (answer) => faultInOwnOrders(page, own, answer));
    },
    foreignOrder: (id: number): Errand => ({
      ...read("GET /orders/:id (another's)", `/orders/${id}`, () => undefined),
      judge: (answer) => judgeForeign(id, answer),
    }),
    order: (asked: AskedOrder, endpoint: string) => orderErrand(asked, endpoint, options),
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
export function judgeStatus(answer: Answer, wanted: number, look: (answer: Answer) => Fault | undefined, unless?: Fault['unless']): Judged {
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
