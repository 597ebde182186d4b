import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom, pickPopular, pickWeighted, randomInt } from '#loadtest/generate/random.ts';
import { createBuyer } from '#loadtest/scenarios/shop/buyer.ts';
import type { Errand } from '#loadtest/scenarios/shop/errand.ts';
import { createErrands } from '#loadtest/scenarios/shop/errands.ts';
import { createJourney, type JourneyOptions } from '#loadtest/scenarios/shop/journey.ts';
import { createMarket } from '#loadtest/scenarios/shop/market.ts';
import { createShelf, type Goods } from '#loadtest/scenarios/shop/shelf.ts';
import { asked, goods, orderJson, placedAnswer } from './right-answers.ts';

type Changes = Partial<JourneyOptions> & { readonly goods?: Goods };

/** The requests of buyer 9, whose every order is placed. */
function walk(seed: number, count: number, { goods: given = goods, ...changes }: Changes = {}): Errand[] {
  const [shelf, market, buyer] = [createShelf(given), createMarket(), createBuyer(9)];
  const errands = createErrands({ shelf, market, buyer, headers: {}, record: () => {}, now: () => 1 });
  const weights = { browse: 6, buy: 3, lookBack: 1 };
  const random = createRandom(seed, 0);
  const common = { shelf, orderable: [1, 2, 3], words: ['lamp'], weights, buyer, market, errands, keyPrefix: 'k', slowShare: 0 };
  const journey = createJourney({ ...common, random, slowRandom: createRandom(seed, -1), ...changes });
  let lastId = 0;
  return Array.from({ length: count }, () => {
    market.acknowledged({ ...asked, id: 5_000 }, 0);
    const errand = journey.next().value;
    if (errand.endpoint === 'POST /orders') errand.judge(placedAnswer(orderJson((lastId += 1))));
    return errand;
  });
}

const sent = (errands: readonly Errand[]): string[] => errands.map(({ method, path, body }) => `${method} ${path} ${body}`);

test('the same seed gives the same requests, another seed others', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      expect(sent(walk(seed, 60))).toEqual(sent(walk(seed, 60)));
      expect(sent(walk(seed, 60))).not.toEqual(sent(walk(seed + 1, 60)));
    }),
  );
});

/** Without the orders that are looked at, which follow the answers. */
const choices = (errands: readonly Errand[]): string[] => sent(errands).filter((request) => !/^GET \S*\/orders\/\d/.test(request));

test('the same seed gives the same requests whatever the answers, but for the orders that are looked at', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [alone, amongOthers] = [undefined, 5_000].map((order) =>
        choices(walk(seed, 80, { market: { ...createMarket(), foreignOrder: () => order } })),
      );
      const common = Math.min(alone?.length ?? 0, amongOthers?.length ?? 0);
      expect(common).toBeGreaterThan(10);
      expect(alone?.slice(0, common)).toEqual(amongOthers?.slice(0, common));
    }),
  );
});

test('browses, filters, reads, orders and looks back, in about the weights asked for', () => {
  const steps = walk(3, 6_000);
  const share = (endpoint: string): number => steps.filter((step) => step.endpoint === endpoint).length / steps.length;
  for (const endpoint of [
    'GET /products',
    'GET /products/filter',
    'GET /products/:id',
    'GET /categories',
    'GET /orders',
    'GET /orders/:id',
  ]) {
    expect(share(endpoint)).toBeGreaterThan(0.01);
  }
  expect(share("GET /orders/:id (another's)")).toBeGreaterThan(0.01);
  expect(share('POST /orders')).toBeGreaterThan(0.05);
  expect(share('POST /orders')).toBeLessThan(0.15);
  expect(share('POST /orders (again)') / share('POST /orders')).toBeCloseTo(0.1, 1);
});

test('every order has a key of its own, and only a repetition has the same key, with the same content', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const byKey = Map.groupBy(
        walk(seed, 300).filter(({ method }) => method === 'POST'),
        ({ key }) => key,
      );
      for (const [key, steps] of byKey) {
        expect(key).toMatch(/^k-\d+$/);
        expect(steps.filter(({ endpoint }) => endpoint !== 'POST /orders (again)')).toHaveLength(1);
        expect(new Set(steps.map(({ body }) => body)).size).toBe(1);
      }
    }),
  );
});

test('orders 1 to 3 different products that are there to be ordered, for the user itself', () => {
  for (const step of walk(5, 2_000).filter(({ endpoint }) => endpoint === 'POST /orders')) {
    const order = JSON.parse(step.body ?? '') as {
      client_id: number;
      delivery_method: number;
      lines: { product_id: number; quantity: number }[];
    };
    expect(order.client_id).toBe(9);
    expect([1, 2, 3]).toContain(order.delivery_method);
    expect(order.lines.length).toBeGreaterThanOrEqual(1);
    expect(new Set(order.lines.map(({ product_id }) => product_id)).size).toBe(order.lines.length);
    for (const line of order.lines) {
      expect([1, 2, 3]).toContain(line.product_id);
      expect([1, 2]).toContain(line.quantity);
    }
  }
});

test('some products are popular, so that orders and looks meet at them, and none is never sold or seen', () => {
  const orderable = goods.products.map(({ id }) => id);
  const steps = walk(11, 6_000, { orderable });
  const bodies = steps.flatMap(({ endpoint, body }) => (endpoint === 'POST /orders' ? [body ?? ''] : []));
  const sold = bodies.flatMap((body) => (JSON.parse(body) as { lines: { product_id: number }[] }).lines.map((line) => line.product_id));
  const seen = steps.flatMap(({ endpoint, path }) => (endpoint === 'GET /products/:id' ? [Number(path.split('/').at(-1))] : []));
  for (const chosen of [sold, seen]) {
    const shareOf = (product: number): number => chosen.filter((id) => id === product).length / chosen.length;
    const [first = 0, last = 0] = [orderable[0], orderable.at(-1)].map((id) => shareOf(id ?? 0));
    expect(first).toBeGreaterThan(1.3 * last);
    expect(last).toBeGreaterThan(0);
  }
});

test('the popular are picked about as often as one by their rank, every item now and then', () => {
  const random = createRandom(3, 3);
  const counts = Array.from({ length: 20 }, () => 0);
  for (let i = 0; i < 20_000; i += 1) {
    const rank = pickPopular(random, [...counts.keys()]);
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  expect((counts[0] ?? 0) / (counts[9] ?? 1)).toBeGreaterThan(5);
  expect(Math.min(...counts)).toBeGreaterThan(100);
  expect(() => pickPopular(random, [])).toThrow(RangeError);
});

test('a slow query mixed in takes its share of the steps: orders without lines, which lock no product', () => {
  const steps = walk(8, 4_000, { slowShare: 0.05 });
  const slow = steps.filter(({ endpoint }) => endpoint === 'POST /orders (slow query)');
  expect(slow.length / steps.length).toBeCloseTo(0.05, 1);
  for (const { body } of slow) {
    expect(JSON.parse(body ?? '')).toEqual({ client_id: 9, delivery_method: 3 });
  }
});

test('a shop with a single product can be walked through too', () => {
  const tiny: Goods = { products: goods.products.slice(3, 4), categories: [] };
  expect(walk(1, 200, { goods: tiny, orderable: [4], words: [] })).toHaveLength(200);
});

test('random numbers are in range, spread evenly, and streams do not follow one another', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(1_000), (seed, stream) => {
      const random = createRandom(seed, stream);
      const numbers = Array.from({ length: 400 }, random);
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...numbers)).toBeLessThan(1);
      expect(numbers.reduce((sum, number) => sum + number, 0) / 400).toBeGreaterThan(0.35);
      expect(numbers.reduce((sum, number) => sum + number, 0) / 400).toBeLessThan(0.65);
      expect(createRandom(seed, stream + 1)()).not.toBe(numbers[0]);
    }),
  );
});

test('a weight of 0 is never chosen; both ends of a range are reached', () => {
  const random = createRandom(1, 1);
  const drawn = new Set(Array.from({ length: 500 }, () => pickWeighted(random, { never: 0, sometimes: 1, often: 9 })));
  expect(drawn).toEqual(new Set(['sometimes', 'often']));
  expect(new Set(Array.from({ length: 500 }, () => randomInt(random, 2, 4)))).toEqual(new Set([2, 3, 4]));
});
