import { pick, pickPopular, pickWeighted, randomInt, type Random } from '../../generate/random.ts';
import type { Buyer } from './buyer.ts';
import type { Errand } from './errand.ts';
import type { Errands } from './errands.ts';
import type { AskedOrder } from './look-at-orders.ts';
import type { Market } from './market.ts';
import type { ProductQuery, Shelf } from './shelf.ts';
import { slowEndpoint } from './slow-query.ts';

/** Kinds of visit to the shop and their weights. */
export type VisitWeights = Readonly<Record<'browse' | 'buy' | 'lookBack', number>>;

export type JourneyOptions = {
  readonly shelf: Shelf;
  /** Products with enough stock to be bought all through a run. */
  readonly orderable: readonly number[];
  /** Words that occur in product names. */
  readonly words: readonly string[];
  readonly random: Random;
  readonly weights: VisitWeights;
  readonly buyer: Buyer;
  readonly market: Market;
  readonly errands: Errands;
  /** Begins every Idempotency-Key; unique to this user in this run. */
  readonly keyPrefix: string;
  /**
   * Share of requests, 0–1, before which goes an order that runs into the slow query (see `slow-query`), and the stream that
   * decides it: one of its own, since how many requests there are follows the answers.
   */
  readonly slowShare: number;
  readonly slowRandom: Random;
};

/** What a user does next; each request is made only when the answer to the one before has come. */
type Visit = Iterable<Errand>;

/** Part of the orders sent a second time with the same key, as a buyer with a bad connection does. */
const repeatedShare = 0.1;
/** Part of the orders that their buyer looks at afterwards, and of which it looks at a product. */
const checkedShare = 0.5;

/**
 * One user's endless walk through the shop, visit after visit: some only browse, some buy, some look at what they bought.
 * The same seed makes the same choices, however the server answers; only which orders are looked at, and before which
 * request a slow one goes, follows the answers.
 */
export function* createJourney(options: JourneyOptions): Generator<Errand, never> {
  const { random, weights, slowShare, slowRandom } = options;
  const numbers = counter();
  for (;;) {
    for (const errand of visits[pickWeighted(random, weights)](options, numbers)) {
      if (slowRandom() < slowShare) yield options.errands.order(slowOrder(options, numbers()), slowEndpoint);
      yield errand;
    }
  }
}

const counter = (): (() => number) => {
  let count = 0;
  return () => (count += 1);
};

const visits: Record<keyof VisitWeights, (options: JourneyOptions, numbers: () => number) => Visit> = {
  *browse(options) {
    const { shelf, words, random, errands } = options;
    if (random() < 0.2) yield errands.categories();
    yield random() < 0.5 ? errands.page(somePage(shelf, random)) : errands.filter(someFilter(shelf, words, random));
    for (let left = randomInt(random, 1, 4); left > 0; left -= 1) yield errands.product(someProduct(options));
  },
  *buy(options, numbers) {
    const { shelf, words, random, errands, buyer } = options;
    yield errands.filter(someFilter(shelf, words, random));
    for (let left = randomInt(random, 1, 3); left > 0; left -= 1) yield errands.product(someProduct(options));
    const order = orderOf(options, numbers());
    const [isRepeated, isRead, isProductRead] = [random() < repeatedShare, random() < checkedShare, random() < checkedShare];
    yield errands.order(order, 'POST /orders');
    if (isRepeated) yield errands.order(order, 'POST /orders (again)');
    const placed = buyer.last();
    if (isRead && placed) yield errands.ownOrder(placed);
    if (isProductRead && order.lines[0]) yield errands.product(order.lines[0].product);
  },
  *lookBack({ errands, buyer, market }) {
    yield errands.ownOrders();
    const foreign = market.foreignOrder(buyer.client);
    if (foreign !== undefined) yield errands.foreignOrder(foreign);
    const placed = buyer.last();
    if (placed) yield errands.ownOrder(placed);
  },
};

const pageSize = 20;

function somePage({ products }: Shelf, random: Random): ProductQuery {
  const skip = pageSize * randomInt(random, 0, Math.floor(Math.max(0, products.length - 1) / pageSize));
  return { skip, limit: pageSize };
}

/** Filters of one kind or two, so that lists of one page and of many are asked for. */
function someFilter({ categories }: Shelf, words: readonly string[], random: Random): ProductQuery {
  const by = pick(random, ['category', 'word', 'price', 'stock'] as const);
  return {
    skip: random() < 0.2 ? pageSize : 0,
    limit: pageSize,
    sortBy: pick(random, ['price_asc', 'price_desc', 'name'] as const),
    ...(by === 'category' && categories.length > 0 && { categoryId: pick(random, categories).id }),
    ...(by === 'word' && words.length > 0 && { search: pick(random, words) }),
    ...(by === 'price' && { maxPriceCents: 100 * randomInt(random, 20, 500), ...(random() < 0.5 && { minPriceCents: 1_000 }) }),
    ...(by === 'stock' && { inStockOnly: true }),
  };
}

/**
 * Of what is looked at and ordered, so much is what everybody buys: orders meet at the same rows, and are looked at while they are
 * under way; and every product is sold now and then. More of it would sell the popular out.
 */
const popularShare = 0.5;

const someProduct = ({ shelf, orderable, random }: JourneyOptions): number =>
  random() < popularShare ? pickPopular(random, orderable) : pick(random, shelf.products).id;

function orderOf(options: JourneyOptions, number: number, lineCount = randomInt(options.random, 1, 3)): AskedOrder {
  const { orderable, random, buyer, keyPrefix } = options;
  const products = new Set<number>();
  const wanted = Math.min(lineCount, orderable.length);
  while (products.size < wanted) products.add(random() < popularShare ? pickPopular(random, orderable) : pick(random, orderable));
  const lines = [...products].map((product) => ({ product, quantity: randomInt(random, 1, 2) }));
  return { key: `${keyPrefix}-${number}`, client: buyer.client, deliveryMethod: randomInt(random, 1, 3), lines };
}

/** An order without lines: it touches no product row, so what makes it slow holds a connection and no lock. */
const slowOrder = ({ keyPrefix, buyer }: JourneyOptions, number: number): AskedOrder => ({
  key: `${keyPrefix}-${number}`,
  client: buyer.client,
  deliveryMethod: 3,
  lines: [],
});
