import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeAnswer, type Expectation } from '#loadtest/scenarios/shop/answers.ts';

const list: Expectation = { kind: 'list' };
const one: Expectation = { kind: 'one', id: 7 };
const order: Expectation = { kind: 'order', lines: 2 };

test.each([
  [list, 200, '[]', 'ok'],
  [list, 200, '[{"id_key":1}]\n', 'ok'],
  [list, 200, '<html>', 'wrong-answer'],
  [list, 200, '[{"id_key":1}', 'wrong-answer'],
  [list, 204, '', 'wrong-answer'],
  [list, 500, '{}', 'http-error'],
  [list, 302, '', 'http-error'],
  [one, 200, '{"id_key":7}', 'ok'],
  [one, 200, '{"id_key":8}', 'wrong-answer'],
  [one, 200, 'null', 'wrong-answer'],
  [one, 404, '{"code":"not_found"}', 'http-error'],
  [one, 429, '', 'limited'],
  [order, 201, '{"id_key":1,"lines":[1,2]}', 'ok'],
  [order, 201, '{"id_key":1,"lines":[1]}', 'wrong-answer'],
  [order, 201, '{"lines":[1,2]}', 'wrong-answer'],
  [order, 200, '{"id_key":1,"lines":[1,2]}', 'wrong-answer'],
  [order, 409, '{"code":"insufficient_stock"}', 'refused'],
  [order, 409, '{"code":"price_mismatch"}', 'http-error'],
  [one, 409, '{"code":"insufficient_stock"}', 'http-error'],
  [order, 503, '{"code":"overloaded"}', 'http-error'],
] as const)('%o answered %i %s is %s', (expects, status, body, outcome) => {
  expect(judgeAnswer(expects, { status, body }).outcome).toBe(outcome);
});

test('nothing a server sends makes it throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(list, one, order),
      fc.integer({ min: 100, max: 599 }),
      fc.oneof(fc.string(), fc.json()),
      (expects, status, body) => {
        expect(['ok', 'refused', 'limited', 'http-error', 'wrong-answer']).toContain(judgeAnswer(expects, { status, body }).outcome);
      },
    ),
  );
});
