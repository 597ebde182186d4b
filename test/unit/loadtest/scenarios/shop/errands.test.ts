import { describe, expect, test as base } from 'vitest';
import { createBuyer } from '#loadtest/scenarios/shop/buyer.ts';
import type { Errand } from '#loadtest/scenarios/shop/errand.ts';
import { createErrands, type Errands } from '#loadtest/scenarios/shop/errands.ts';
import type { OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import { createMarket } from '#loadtest/scenarios/shop/market.ts';
import { createShelf } from '#loadtest/scenarios/shop/shelf.ts';
import { answerOf, asked, goods, orderJson, placedAnswer, problem, productJson } from './right-answers.ts';

type Shopper = {
  readonly errands: Errands;
  readonly attempts: OrderAttempt[];
  readonly own: ReturnType<typeof createBuyer>['own'];
  readonly order: (key?: string) => Errand;
  /** Lets a millisecond pass. */
  readonly wait: () => void;
};

const test = base.extend<{ shopper: Shopper }>({
  shopper: async ({}, use) => {
    let now = 1_000;
    const attempts: OrderAttempt[] = [];
    const [market, buyer] = [createMarket(), createBuyer(asked.client)];
    const record = (attempt: OrderAttempt): void => void attempts.push(attempt);
    const errands = createErrands({ shelf: createShelf(goods), market, buyer, headers: {}, record, now: () => now });
    const order = (key = 'k-1'): Errand => errands.order({ ...asked, key }, 'POST /orders');
    await use({ errands, attempts, own: buyer.own, order, wait: () => (now += 1) });
  },
});

const soldOut = problem(409, 'insufficient_stock');
const inFlight = problem(409, 'idempotency_in_flight');
const outcomes = (attempts: readonly OrderAttempt[]): string[] => attempts.map(({ outcome }) => outcome);

describe('an order', () => {
  test('that was placed is remembered and written down with its id, total and request', ({ shopper: { order, attempts, own } }) => {
    expect(order().judge(placedAnswer())).toEqual({ outcome: 'ok' });
    expect(own()).toMatchObject({ count: 1, unknown: 0 });
    expect(attempts).toMatchObject([{ key: 'k-1', outcome: 'acknowledged', order: 9, totalCents: 3_983, requestId: 'r-1', status: 201 }]);
  });

  test.each([
    ['429', problem(429, 'rate_limited'), 'limited', 'refused'],
    ['503, which promises that nothing was done', problem(503, 'overloaded'), 'http-error', 'refused'],
    ['500, which promises nothing', problem(500, 'internal_error'), 'http-error', 'unknown'],
    ['502, which promises nothing', problem(502, 'bad_gateway'), 'http-error', 'unknown'],
    ['404', problem(404, 'not_found'), 'wrong-answer', 'refused'],
    ['200', answerOf(200, orderJson()), 'wrong-answer', 'refused'],
    ['201 with nonsense', answerOf(201, 'nonsense'), 'wrong-answer', 'unknown'],
  ] as const)('answered %s', (_, answer, outcome, meaning) => {
    const attempts: OrderAttempt[] = [];
    const market = createMarket();
    const common = { shelf: createShelf(goods), market, buyer: createBuyer(asked.client), headers: {}, now: () => 1 };
    const errands = createErrands({ ...common, record: (attempt) => attempts.push(attempt) });
    expect(errands.order(asked, 'POST /orders').judge(answer).outcome).toBe(outcome);
    expect(outcomes(attempts)).toEqual([meaning]);
  });

  test('refused for want of stock that is there is wrong, and honest once as much was asked for', ({ shopper: { order } }) => {
    const first = order().judge(soldOut);
    expect(first).toMatchObject({ outcome: 'wrong-answer', fault: { rule: 'refusal', unless: { change: 'bought' } } });
    for (let i = 2; i <= 26; i += 1) order(`k-${i}`).judge(placedAnswer(orderJson(100 + i)));
    expect(order('k-27').judge(soldOut)).toEqual({ outcome: 'refused' });
  });

  test('without an answer is unknown until its repetition tells', ({ shopper: { order, attempts, own } }) => {
    order().lost?.();
    expect(own()).toMatchObject({ count: 0, unknown: 1 });
    expect(order().judge(inFlight)).toEqual({ outcome: 'refused' });
    expect(own()).toMatchObject({ count: 0, unknown: 1 });
    expect(order().judge(placedAnswer())).toEqual({ outcome: 'ok' });
    expect(own()).toMatchObject({ count: 1, unknown: 0 });
    expect(outcomes(attempts)).toEqual(['unknown', 'unknown', 'acknowledged']);
  });

  test('still being worked on cannot be one that was never sent before', ({ shopper: { order } }) => {
    expect(order().judge(inFlight)).toMatchObject({ outcome: 'wrong-answer', fault: { rule: 'answer-status' } });
  });

  test('repeated gets the first answer again', ({ shopper: { order, own } }) => {
    order().judge(placedAnswer());
    expect(order().judge(placedAnswer(orderJson(), { 'idempotency-replayed': 'true' }))).toEqual({ outcome: 'ok' });
    expect(own().count).toBe(1);
  });

  test('repeated that makes another order, or is refused, is wrong', ({ shopper: { order, attempts } }) => {
    order().judge(placedAnswer());
    expect(order().judge(placedAnswer(orderJson(10)))).toMatchObject({ fault: { rule: 'replay', order: 9 } });
    expect(order().judge(soldOut)).toMatchObject({
      fault: { rule: 'replay', detail: '409 (insufficient_stock), though the key had made order 9' },
    });
    expect(attempts.map((attempt) => attempt.order)).toEqual([9, 10, null]);
  });
});

const shown = (stock: number) =>
  answerOf(200, productJson({ ...(goods.products[0] as (typeof goods.products)[number]), stock }), { etag: '"2"' });

describe('a product looked at after an order', () => {
  test('shows what the order has left, if it was asked for after the answer', ({ shopper: { errands, order, wait } }) => {
    const before = errands.product(1);
    order().judge(placedAnswer());
    wait();
    expect(before.judge(shown(50))).toEqual({ outcome: 'ok' });
    expect(errands.product(1).judge(shown(50))).toMatchObject({ fault: { rule: 'stock-shown', product: 1 } });
    expect(errands.product(1).judge(shown(48))).toEqual({ outcome: 'ok' });
  });

  test('that is gone is wrong unless somebody removed it', ({ shopper: { errands } }) => {
    expect(errands.product(1).judge(problem(404, 'not_found'))).toMatchObject({
      outcome: 'wrong-answer',
      fault: { rule: 'answer-status', detail: '404 (not_found) instead of 200', unless: { change: 'edited', product: 1 } },
    });
  });
});

test("another's order must not be found", ({ shopper: { errands } }) => {
  expect(errands.foreignOrder(3).judge(problem(404, 'not_found'))).toEqual({ outcome: 'ok' });
  expect(errands.foreignOrder(3).judge(problem(500, 'internal_error'))).toEqual({ outcome: 'http-error' });
  expect(errands.foreignOrder(3).judge(answerOf(200, orderJson(3)))).toMatchObject({ fault: { rule: 'privacy', order: 3 } });
});
