import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { countRaces, type OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import { asked } from './right-answers.ts';

const attempt = (sentAtMs: number, lastsMs: number, products: readonly number[]): OrderAttempt => ({
  ...asked,
  lines: products.map((product) => ({ product, quantity: 1 })),
  sentAtMs,
  endedAtMs: sentAtMs + lastsMs,
  outcome: 'acknowledged',
  status: 201,
  requestId: null,
  order: 1,
  totalCents: 1,
});

const meets = (a: OrderAttempt, b: OrderAttempt): boolean =>
  a !== b && a.sentAtMs < b.endedAtMs && b.sentAtMs < a.endedAtMs && a.lines.some((x) => b.lines.some((y) => x.product === y.product));

test('orders raced that were under way while another for one of the same products was, and no others', () => {
  expect(countRaces([attempt(0, 10, [1]), attempt(5, 10, [1, 2]), attempt(12, 2, [3])])).toBe(2);
  expect(countRaces([attempt(0, 10, [1]), attempt(10, 10, [1])])).toBe(0);
  const some = fc.record({ at: fc.nat(60), lasts: fc.integer({ min: 1, max: 30 }), products: fc.uniqueArray(fc.nat(4), { minLength: 1 }) });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 15 }), (given) => {
      const all = given.map(({ at, lasts, products }) => attempt(at, lasts, products));
      expect(countRaces(all)).toBe(all.filter((one) => all.some((other) => meets(one, other))).length);
    }),
  );
});
