import { describe, expect, test } from 'vitest';
import type { Check } from '#loadtest/judge/check.ts';
import type { ShopBooks } from '#loadtest/scenarios/shop/books.ts';
import { createCrowd, type ShopFacts } from '#loadtest/scenarios/shop/crowd.ts';
import type { Errand } from '#loadtest/scenarios/shop/errand.ts';
import type { Excuse, Rule } from '#loadtest/scenarios/shop/faults.ts';
import type { ShopEvent } from '#loadtest/scenarios/shop/history.ts';
import { healthyMeasurement, judged, orders, rightBooks, withPhase } from '../../build-measurement.ts';
import { answerOf, goods, productJson } from './right-answers.ts';

const facts: ShopFacts = {
  runId: 'lt-1',
  catalogue: { goods: { ...goods, products: goods.products.slice(0, 1) }, orderable: [1], words: [] },
  weights: { browse: 1, buy: 0, lookBack: 0 },
  slowShare: 0,
  isShared: false,
};
const cheaper = answerOf(200, { ...productJson(goods.products[0] as (typeof goods.products)[number]), price: 9.99 }, { etag: '"1"' });

/** One buyer who reads one product again and again. */
function reader(isShared: boolean) {
  const events: unknown[] = [];
  const crowd = createCrowd({ script: 'shop', seed: 1, facts: { ...facts, isShared }, record: (event) => events.push(event) });
  const user = crowd.user(0, { clientId: 77, accessToken: 't' });
  const nextLook = (): Errand => {
    for (;;) {
      const errand = user.next() as Errand;
      if (errand.endpoint === 'GET /products/:id') return errand;
    }
  };
  return { events: events as ShopEvent[], close: crowd.close, read: () => user.answered(nextLook(), cheaper) };
}

describe('a price other than at the start', () => {
  test('is wrong in a shop of its own, with the product', () => {
    const { read, events } = reader(false);
    expect(read()).toMatchObject({ outcome: 'wrong-answer', fault: 'price-shown', about: { product: 1 } });
    expect(events).toEqual([]);
  });

  test('is noted in a shop that others use too: the first three with a witness, all of them counted', () => {
    const { read, events, close } = reader(true);
    for (let i = 0; i < 5; i += 1) expect(read().outcome).toBe('ok');
    close();
    expect(events.map(({ kind }) => kind)).toEqual(['doubt', 'doubt', 'doubt', 'doubts']);
    expect(events[0]).toMatchObject({
      rule: 'price-shown',
      unless: { change: 'edited', product: 1 },
      witness: { requestId: 'r-1', about: { product: 1 } },
    });
    expect(events[3]).toMatchObject({ count: 5 });
  });
});

/** What is said of a doubt about product 5 or order 7, in a shop with these books. */
function checkOf(rule: Rule, unless: Excuse, books: Partial<ShopBooks>, { processes = 1, phases = 1 } = {}): Check | undefined {
  const witness = { says: 'seen otherwise', about: { product: 5 } };
  const events = [...orders().events, { kind: 'doubt', rule, unless, witness }, { kind: 'doubts', rule, unless, count: 4 }];
  const measurement = withPhase({ processes }, { events, books: { ...rightBooks, ...books } });
  const again = measurement.phases.flatMap((phase) => Array.from({ length: phases }, () => phase));
  return judged({ ...measurement, phases: again }).checks.find(({ id }) => id === rule);
}

const [lamp] = rightBooks.before.products;
const dearer = { ...rightBooks.before, products: [{ ...lamp, priceCents: 2_500 }] } as ShopBooks['after'];
const restocked = {
  orders: rightBooks.stored?.orders ?? [],
  ledger: { movements: [], strayMovements: [], products: [{ id: 5, stock: 90, moved: 90, restocked: 81, restocks: 1 }], returns: [] },
};
const handled = { orders: (rightBooks.stored?.orders ?? []).map((order) => ({ ...order, version: 2 })), ledger: null };

describe('a doubt', () => {
  test.each<[string, Rule, Excuse, Partial<ShopBooks>, Check['outcome']]>([
    ['the product was changed', 'price-shown', { change: 'edited', product: 5 }, { isShared: true, after: dearer }, 'met'],
    ['the catalogue was changed', 'list-members', { change: 'edited' }, { isShared: true, after: dearer }, 'met'],
    ['nothing was changed', 'price-shown', { change: 'edited', product: 5 }, { isShared: true }, 'broken'],
    ['another product was changed', 'price-shown', { change: 'edited', product: 6 }, { isShared: true, after: dearer }, 'broken'],
    ['pieces came back', 'stock-shown', { change: 'restocked', product: 5 }, { isShared: true, stored: restocked }, 'met'],
    ['no pieces came back', 'stock-shown', { change: 'restocked', product: 5 }, { isShared: true }, 'broken'],
    [
      'nobody can tell whether pieces came back',
      'stock-shown',
      { change: 'restocked', product: 5 },
      { isShared: true, stored: null },
      'met',
    ],
    ['staff handled the order', 'own-writes', { change: 'handled', order: 7 }, { isShared: true, stored: handled }, 'met'],
    ['nobody handled the order', 'own-writes', { change: 'handled', order: 7 }, { isShared: true }, 'broken'],
    ['others buy too', 'refusal', { change: 'bought', product: 5 }, { isShared: true }, 'met'],
    ['nobody else buys', 'refusal', { change: 'bought', product: 5 }, {}, 'broken'],
  ])('when %s', (_, rule, unless, books, outcome) => {
    expect(checkOf(rule, unless, books)?.outcome).toBe(outcome);
  });

  test.each(['refusal', 'list-members'] as const)(
    'about stock that another process or an earlier phase may have sold is none: %s',
    (rule) => {
      const unless: Excuse = { change: 'bought', product: 5 };
      expect(checkOf(rule, unless, {})?.outcome).toBe('broken');
      expect(checkOf(rule, unless, {}, { processes: 2 })?.outcome).toBe('met');
      expect(checkOf(rule, unless, {}, { phases: 2 })?.outcome).toBe('met');
    },
  );

  test('that nothing excuses has its witness and counts all there were', () => {
    const check = checkOf('price-shown', { change: 'edited', product: 5 }, { isShared: true });
    expect(check).toMatchObject({ measured: '4', witnesses: [{ says: 'seen otherwise', about: { product: 5 } }] });
  });
});

test('books that were not read say so, and what others may have bought is no anomaly', () => {
  const notes = ['no access to the database: set POSTGRES_HOST'];
  const { checks } = judged(
    healthyMeasurement({
      books: { ...rightBooks, isShared: true, stored: { orders: rightBooks.stored?.orders ?? [], ledger: null }, notes },
    }),
  );
  const outcomeOf = (id: string): string | undefined => checks.find((check) => check.id === id)?.outcome;
  expect(outcomeOf('orders-kept')).toBe('met');
  expect(outcomeOf('stock-moved')).toBe('not-checked');
  expect(checks.find(({ id }) => id === 'stock-ledger')?.reason).toBe(notes[0]);
});
