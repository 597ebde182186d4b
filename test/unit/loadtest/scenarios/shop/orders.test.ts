import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lookAtPlaced } from '#loadtest/scenarios/shop/look-at-orders.ts';
import {
  faultInForeignOrder,
  faultInOwnOrder,
  faultInOwnOrders,
  faultInReplay,
  type Acknowledged,
  type OwnOrders,
} from '#loadtest/scenarios/shop/look-at-own-orders.ts';
import { createShelf } from '#loadtest/scenarios/shop/shelf.ts';
import { answerOf, asked, goods, orderJson, placedAnswer, problem, type OrderJson } from './right-answers.ts';

const shelf = createShelf(goods);
const line = (changes: Partial<OrderJson['lines'][number]>): OrderJson['lines'] =>
  orderJson().lines.map((one, i) => (i === 0 ? { ...one, ...changes } : one));

describe('an order just placed', () => {
  test('is right as asked, at the prices of the catalogue', () => {
    const { seen, fault } = lookAtPlaced(asked, shelf, placedAnswer());
    expect(fault).toBeUndefined();
    expect(seen).toMatchObject({ id: 9, totalCents: 3_983, client: 77 });
  });
  test.each<[string, OrderJson, string, RegExp]>([
    ['a total off by a cent', orderJson(9, { total: 39.84 }), 'order-total', /total is 39\.84, its lines make 39\.83/],
    [
      'a piece more',
      orderJson(9, { lines: line({ quantity: 3 }) }),
      'order-content',
      /line 1 has 3 of product 1, asked for 2 of product 1/,
    ],
    ['another product', orderJson(9, { lines: line({ product_id: 4 }) }), 'order-content', /of product 4, asked for/],
    ['a line missing', orderJson(9, { lines: orderJson().lines.slice(1) }), 'order-content', /^1 line, asked for 2/],
    ['another name', orderJson(9, { lines: line({ product_name: 'Lamp' }) }), 'order-content', /product_name of product 1 is "Lamp"/],
    ['another price', orderJson(9, { lines: line({ price: 19.91 }) }), 'price-shown', /charged at 19\.91, its price is 19\.90/],
    ['one id for two lines', orderJson(9, { lines: line({ id_key: 91 }) }), 'order-content', /the same id/],
    ['another buyer', orderJson(9, { client_id: 78 }), 'privacy', /order 9 of client 78 was answered to client 77/],
    ['another status', orderJson(9, { status: 2 }), 'order-content', /status is 2/],
    ['another delivery', orderJson(9, { delivery_method: 1 }), 'order-content', /delivery_method is 1, not 2/],
  ])('with %s is wrong, and its id is told', (_, order, rule, says) => {
    const { seen, fault } = lookAtPlaced(asked, shelf, placedAnswer(order));
    expect(fault?.rule).toBe(rule);
    expect(fault?.detail).toMatch(says);
    expect(fault?.order).toBe(9);
    expect(seen?.id).toBe(9);
  });
  test('whose Location leads elsewhere, or without ETag, is wrong', () => {
    expect(lookAtPlaced(asked, shelf, placedAnswer(orderJson(), { location: '/api/v1/orders/99' })).fault?.detail).toMatch(/Location is/);
    expect(lookAtPlaced(asked, shelf, placedAnswer(orderJson(), { etag: undefined })).fault?.rule).toBe('answer-headers');
  });
  test('that is no order has no id', () => {
    for (const body of ['', '[]', '{"id_key":9}', JSON.stringify({ ...orderJson(), total: 39.830001 })]) {
      const { seen, fault } = lookAtPlaced(asked, shelf, answerOf(201, body));
      expect(seen).toBeUndefined();
      expect(fault).toBeDefined();
    }
  });
});

const acknowledged = (order: OrderJson = orderJson()): Acknowledged => {
  const answer = placedAnswer(order);
  const { seen } = lookAtPlaced(asked, shelf, answer);
  if (seen === undefined) throw new Error('not an order');
  return { order: seen, body: answer.body, etag: answer.headers['etag'] };
};

const replayed = (order = orderJson(), headers = {}) => placedAnswer(order, { 'idempotency-replayed': 'true', ...headers });

describe('an order repeated with its key', () => {
  test('is answered with the same bytes and the mark', () => {
    expect(faultInReplay(acknowledged(), replayed())).toBeUndefined();
  });
  test('is wrong as another order, with other bytes, or unmarked', () => {
    expect(faultInReplay(acknowledged(), replayed(orderJson(10)))?.detail).toBe('order 10 was made, though the key had made order 9');
    expect(faultInReplay(acknowledged(), replayed(orderJson(9, { date: '2026-01-02T00:00:00.000Z' })))?.detail).toMatch(
      /the first answer was/,
    );
    expect(faultInReplay(acknowledged(), placedAnswer())?.detail).toMatch(/Idempotency-Replayed/);
  });
});

const lookAtOwn = (order: OrderJson, headers = {}) => faultInOwnOrder(acknowledged(), answerOf(200, order, { etag: '"1"', ...headers }));

describe('an own order read afterwards', () => {
  test('is what was acknowledged', () => {
    expect(lookAtOwn(orderJson())).toBeUndefined();
  });
  test.each<[string, OrderJson, string]>([
    ['another total', orderJson(9, { total: 39.84 }), 'own-writes'],
    ['another quantity', orderJson(9, { lines: line({ quantity: 3 }) }), 'own-writes'],
    ['another status', orderJson(9, { status: 2 }), 'own-writes'],
    ['another id', orderJson(10), 'own-writes'],
    ['another buyer', orderJson(9, { client_id: 3 }), 'privacy'],
  ])('with %s is wrong', (_, order, rule) => {
    expect(lookAtOwn(order)?.rule).toBe(rule);
    expect(lookAtOwn(order)).not.toHaveProperty('unless');
  });
  test('may differ if staff changed it, which its version says', () => {
    expect(lookAtOwn(orderJson(9, { status: 2, version: 2 }))).toMatchObject({
      rule: 'own-writes',
      unless: { change: 'handled', order: 9 },
    });
  });
  test('has the ETag it had', () => {
    expect(lookAtOwn(orderJson(), { etag: '"2"' })).toMatchObject({ rule: 'answer-headers', order: 9 });
  });
});

const own = (ids: readonly number[], unknown = 0, count = ids.length): OwnOrders => ({
  client: 77,
  count,
  latest: ids.map((id) => acknowledged(orderJson(id))),
  unknown,
});

const listed = (ids: readonly number[], changes: Partial<OrderJson> = {}) =>
  answerOf(
    200,
    ids.map((id) => {
      const { lines: _lines, ...order } = orderJson(id, id === ids.at(-1) ? changes : {});
      return order;
    }),
  );

describe("a buyer's list of orders", () => {
  const page = { skip: 0, limit: 20 };
  test('has all acknowledged ones and no other', () => {
    expect(faultInOwnOrders(page, own([3, 5]), listed([3, 5]))).toBeUndefined();
    expect(faultInOwnOrders(page, own([]), listed([]))).toBeUndefined();
  });
  test.each<[string, OwnOrders, readonly number[], string, RegExp]>([
    ['lacks an order', own([3, 5]), [3], 'own-writes', /order 5 was acknowledged and is missing/],
    ['has one too many', own([3]), [3, 5], 'own-writes', /2 orders are listed, 1 were acknowledged and 0 have no answer/],
    ['is out of order', own([3, 5]), [5, 3], 'list-order', /5, 3/],
    ['has one twice', own([3, 5]), [3, 3, 5], 'list-order', /3, 3, 5/],
  ])('that %s is wrong', (_, known, ids, rule, says) => {
    const fault = faultInOwnOrders(page, known, listed(ids));
    expect(fault?.rule).toBe(rule);
    expect(fault?.detail).toMatch(says);
  });
  test('with an order of another is wrong, and the order is named', () => {
    expect(faultInOwnOrders(page, own([3, 5]), listed([3, 5], { client_id: 8 }))).toMatchObject({ rule: 'privacy', order: 5 });
  });
  test('with another total than was acknowledged is wrong', () => {
    expect(faultInOwnOrders(page, own([3, 5]), listed([3, 5], { total: 1 }))).toMatchObject({ rule: 'own-writes', order: 5 });
  });
  test('may have orders of requests without an answer, as many as there were', () => {
    expect(faultInOwnOrders(page, own([3, 5], 1), listed([3, 4, 5]))).toBeUndefined();
    expect(faultInOwnOrders(page, own([3, 5], 1), listed([3, 5]))).toBeUndefined();
    expect(faultInOwnOrders(page, own([3, 5], 1), listed([2, 3, 4, 5]))?.rule).toBe('own-writes');
  });
  test('whatever was acknowledged or not, the true page passes, and one without its last due order does not', () => {
    const orders = fc.array(fc.record({ isTold: fc.boolean(), isStored: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(orders, (made) => {
        const kept = made.map((order, i) => ({ ...order, id: i + 1 })).filter(({ isTold, isStored }) => isTold || isStored);
        const told = kept.filter(({ isTold }) => isTold).map(({ id }) => id);
        const unknown = made.filter(({ isTold }) => !isTold).length;
        fc.pre(unknown <= 8);
        const skip = Math.max(0, told.length - 10);
        const ids = kept.slice(skip, skip + 20).map(({ id }) => id);
        const known = own(told.slice(-40), unknown, told.length);
        expect(faultInOwnOrders({ skip, limit: 20 }, known, listed(ids))).toBeUndefined();
        const last = told.at(-1);
        const isFound = faultInOwnOrders({ skip, limit: 20 }, known, listed(ids.filter((id) => id !== last))) !== undefined;
        expect(last === undefined || isFound).toBe(true);
      }),
    );
  });
});

test("another's order looks as if it were not there", () => {
  expect(faultInForeignOrder(9, problem(404, 'not_found'))).toBeUndefined();
  expect(faultInForeignOrder(9, answerOf(200, orderJson()))).toMatchObject({ rule: 'privacy', order: 9 });
  expect(faultInForeignOrder(9, problem(403, 'forbidden'))).toMatchObject({ rule: 'privacy' });
});

test('nothing a server sends makes a look throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
      const answer = answerOf(200, body);
      expect(lookAtPlaced(asked, shelf, answer).fault).toBeDefined();
      expect(faultInOwnOrder(acknowledged(), answer)).toBeDefined();
      expect(faultInReplay(acknowledged(), answer)).toBeDefined();
      faultInOwnOrders({ skip: 0, limit: 20 }, { client: 1, count: 0, latest: [], unknown: 0 }, answer);
      faultInForeignOrder(1, { ...answer, status: 404 });
    }),
  );
});
