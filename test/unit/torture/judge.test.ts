import { describe, expect, test } from 'vitest';
import type { Aftermath } from '#test/torture/aftermath.ts';
import type { Entry, What } from '#test/torture/history.ts';
import { judge } from '#test/torture/judge.ts';

type Changeable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? Changeable<E>[] : Changeable<T[K]> };
type Run = { history: Entry[]; aftermath: Changeable<Aftermath> };

const product = { id: 1, name: 'Lamp', description: null, priceCents: 500, stock: 10, categoryId: null, version: 1 };
const orderBody = JSON.stringify({
  id_key: 7,
  date: '2026-11-26T00:00:00.000Z',
  total: 10,
  delivery_method: 1,
  status: 1,
  client_id: 5,
  version: 1,
  lines: [{ id_key: 70, product_id: 1, product_name: 'Lamp', quantity: 2, price: 5 }],
});

let clock = 0;
const entry = (key: string, what: What, more: Partial<Entry> = {}): Entry => ({
  key,
  what,
  sentAtMs: (clock += 1),
  endedAtMs: (clock += 1),
  outcome: 'acknowledged',
  status: 200,
  code: null,
  body: '{}',
  isAsking: false,
  ...more,
});
const silence = { outcome: 'unknown', status: null, body: null } as const;
const refused = { outcome: 'refused', status: 409, code: 'insufficient_stock', body: null } as const;
const order: What = { kind: 'order', client: 5, deliveryMethod: 1, lines: [{ product: 1, quantity: 2 }] };

/** Two lamps sold, one refunded, a word in a register, a session that went on, a line changed on its bill; all as it should be. */
const rightRun = (): Run => ({
  history: [
    entry('5/order', order, silence),
    entry('5/order', order, { status: 201, body: orderBody, isAsking: true }),
    entry('5/sold-out', order, silence),
    entry('5/sold-out', order, { ...refused, isAsking: true }),
    entry('staff/begin', { kind: 'begin', order: 7 }, { body: '{"status":2}' }),
    entry('staff/refund', { kind: 'refund', order: 7, line: 70, quantity: 1 }),
    entry('staff/a', { kind: 'append', register: 2, word: 'a' }),
    entry('staff/b', { kind: 'append', register: 2, word: 'b' }, { ...refused, status: 412, code: 'version_mismatch' }),
    entry('s/0', { kind: 'refresh', session: 's', generation: 0 }, silence),
    entry('s/0', { kind: 'refresh', session: 's', generation: 0 }),
    entry('s/1', { kind: 'refresh', session: 's', generation: 1 }),
    entry('6/bill', { kind: 'make', thing: 'bill', content: '2' }, { body: '{"id_key":3,"bill_number":"A-2026-1001"}' }),
    entry('6/bill-2', { kind: 'make', thing: 'bill', content: '1' }, { body: '{"id_key":4,"bill_number":"A-2026-1002"}' }),
    entry('6/order', { kind: 'make', thing: 'order', content: '3' }, { body: '{"id_key":8}' }),
    entry('6/line', { kind: 'make', thing: 'line', content: '1' }, silence),
    entry('6/line', { kind: 'make', thing: 'line', content: '1' }, { body: '{"id_key":80}', isAsking: true }),
    entry('6/change-1', { kind: 'change', thing: 'line', id: 80, version: 1, content: '4' }, silence),
    entry('6/change-2', { kind: 'change', thing: 'line', id: 80, version: 1, content: '2' }, { ...refused, status: 412 }),
    entry('6/change-3', { kind: 'change', thing: 'line', id: 80, version: 2, content: '3' }),
    entry('6/review', { kind: 'make', thing: 'review', content: 'good' }, { body: '{"id_key":90}' }),
    entry('6/remove', { kind: 'remove', thing: 'review', id: 90, version: 1 }),
    entry('loadtest/ana', { kind: 'register', email: 'ana@x' }, { body: '{"id_key":5}' }),
  ],
  aftermath: {
    books: {
      orders: [
        {
          id: 7,
          client: 5,
          totalCents: 1_000,
          deliveryMethod: 1,
          status: 2,
          version: 3,
          lines: [{ id: 70, product: 1, quantity: 2, priceCents: 500, name: 'Lamp' }],
        },
      ],
      ledger: {
        movements: [
          { id: 1, product: 1, quantity: -2, reason: 'sale', order: 7, line: 70 },
          { id: 2, product: 1, quantity: 1, reason: 'return', order: 7, line: 70 },
        ],
        strayMovements: [],
        products: [{ id: 1, stock: 9, moved: 9, restocked: 1, restocks: 1 }],
        returns: [{ line: 70, pieces: 1 }],
      },
    },
    events: [
      { order: 7, event: 'status', status: 2, refundedCents: 0 },
      { order: 7, event: 'refund', status: 2, refundedCents: 500 },
    ],
    orders: [{ order: 7, refundedCents: 500 }],
    returns: [{ line: 70, order: 7, quantity: 2, returned: 1 }],
    registers: [{ register: 2, text: 'a', version: 2 }],
    things: [
      { thing: 'bill', id: 3, version: 1, content: '2' },
      { thing: 'bill', id: 4, version: 1, content: '1' },
      { thing: 'order', id: 8, version: 1, content: '3' },
      { thing: 'line', id: 80, version: 3, content: '3' },
    ],
    moved: [
      { line: 80, pieces: 3, moved: 3 },
      { line: 81, pieces: 0, moved: 0 },
    ],
    bills: [
      { bill: 3, number: 'A-2026-1001', billedCents: 1_500, order: 8, isCanceled: false, totalCents: 1_500, linesCents: 1_500 },
      { bill: 4, number: 'A-2026-1002', billedCents: 0, order: null, isCanceled: null, totalCents: null, linesCents: 0 },
    ],
    remains: [],
    accounts: [{ email: 'ana@x', count: 1 }],
    deadlocks: 0,
  },
});

const judged = ({ history, aftermath }: Run) =>
  judge({ history, aftermath: aftermath, seen: [], products: [product], productsAfter: [product] });

const theLine = ({ things }: Run['aftermath']) => things.find(({ id }) => id === 80)!;

const find = (run: Run, key: string): Entry => run.history.findLast((one) => one.key === key)!;

describe('the judge of the torture', () => {
  test('says nothing of a shop that kept its word, lost answers and all', () => {
    expect(judged(rightRun())).toEqual([]);
  });

  test.each<[string, string, (run: Run) => unknown]>([
    ['an order that was answered and is gone', 'orders-kept', ({ aftermath }) => (aftermath.books.orders = [])],
    ['an order whose key says that it was refused', 'orders-asked-for', (run) => Object.assign(find(run, '5/order'), { ...refused })],
    ['a key that is still open', 'resolved', (run) => Object.assign(find(run, '5/sold-out'), { status: null, outcome: 'unknown' })],
    [
      'another answer to the same key',
      'same-answer',
      (run) => run.history.push(entry('5/order', order, { status: 201, body: orderBody.replace('.000Z', '.001Z') })),
    ],
    [
      'a key that is not known again',
      'same-answer',
      (run) => run.history.push(entry('5/order', order, { ...refused, code: 'idempotency_key_reused' })),
    ],
    ['a refund that is not there', 'done-once', ({ aftermath }) => aftermath.events.pop()],
    [
      'a refund that is there twice',
      'done-once',
      ({ aftermath }) => aftermath.events.push({ order: 7, event: 'refund', status: 2, refundedCents: 0 }),
    ],
    [
      'a cancellation nobody asked for',
      'done-once',
      ({ aftermath }) => aftermath.events.push({ order: 7, event: 'status', status: 4, refundedCents: 0 }),
    ],
    ['money paid back that no event tells of', 'done-once', ({ aftermath }) => (aftermath.orders[0]!.refundedCents = 600)],
    ['pieces that came back without a refund', 'done-once', ({ aftermath }) => (aftermath.returns[0]!.returned = 2)],
    ['a word that was acknowledged and is gone', 'no-lost-update', ({ aftermath }) => (aftermath.registers[0]!.text = '')],
    ['a word that was refused and is there', 'no-lost-update', ({ aftermath }) => (aftermath.registers[0]!.text = 'a b')],
    ['a word that is there twice', 'no-lost-update', ({ aftermath }) => (aftermath.registers[0]!.text = 'a a')],
    [
      'a token that worked after the next was used',
      'session-over',
      (run) => run.history.push(entry('s/0', { kind: 'refresh', session: 's', generation: 0 })),
    ],
    [
      'a token that worked after its session was ended',
      'session-over',
      (run) => {
        run.history.push(entry('s/out', { kind: 'logout', session: 's' }));
        run.history.push(entry('s/2', { kind: 'refresh', session: 's', generation: 2 }));
      },
    ],
    [
      'a line that nobody was told of',
      'made-once',
      ({ aftermath }) => aftermath.things.push({ thing: 'line', id: 81, version: 1, content: '1' }),
    ],
    ['a bill that was made and is gone', 'made-once', ({ aftermath }) => aftermath.things.shift()],
    [
      'one review for two keys',
      'made-once',
      (run) => run.history.push(entry('6/again', { kind: 'make', thing: 'review', content: 'bad' }, { body: '{"id_key":90}' })),
    ],
    [
      'a change that was answered and is gone',
      'no-lost-update',
      ({ aftermath }) => Object.assign(theLine(aftermath), { version: 2, content: '4' }),
    ],
    ['a change that was refused and is there', 'no-lost-update', ({ aftermath }) => Object.assign(theLine(aftermath), { content: '2' })],
    [
      'two changes on the condition of one version',
      'no-lost-update',
      (run) => run.history.push(entry('6/x', { kind: 'change', thing: 'line', id: 80, version: 2, content: '3' })),
    ],
    [
      'a review that was taken out and is there',
      'no-lost-update',
      ({ aftermath }) => aftermath.things.push({ thing: 'review', id: 90, version: 1, content: 'good' }),
    ],
    ['pieces taken twice for one line', 'lines-moved', ({ aftermath }) => (aftermath.moved[0]!.moved = 4)],
    ['pieces that a line taken out still holds', 'lines-moved', ({ aftermath }) => (aftermath.moved[1]!.moved = 2)],
    ['a bill that does not say what its order makes', 'bills-settled', ({ aftermath }) => (aftermath.bills[0]!.billedCents = 2_000)],
    ['a bill of a canceled order that is still due', 'bills-settled', ({ aftermath }) => (aftermath.bills[0]!.isCanceled = true)],
    ['an order that does not make what its lines make', 'bills-settled', ({ aftermath }) => (aftermath.bills[0]!.linesCents = 1_000)],
    ['a number that two bills have', 'bill-numbers', ({ aftermath }) => (aftermath.bills[1]!.number = 'A-2026-1001')],
    ['a number that is another than was answered', 'bill-numbers', ({ aftermath }) => (aftermath.bills[1]!.number = 'A-2026-1003')],
    [
      'a token that worked after the password was changed',
      'session-over',
      (run) => {
        run.history.push(entry('t/password', { kind: 'password', session: 's' }));
        run.history.push(entry('s/2', { kind: 'refresh', session: 's', generation: 2 }));
      },
    ],
    [
      'an account that was made twice',
      'one-account',
      (run) => run.history.push(entry('loadtest/ana', { kind: 'register', email: 'ana@x' }, { body: '{"id_key":6}' })),
    ],
    ['an account that is gone', 'one-account', ({ aftermath }) => (aftermath.accounts = [])],
    ['what is left of a deleted account', 'nothing-left', ({ aftermath }) => aftermath.remains.push({ client: 9, what: 'an address' })],
    ['an internal error', 'right-answers', (run) => run.history.push(entry('5/x', order, { outcome: 'unknown', status: 500, body: null }))],
    ['a deadlock', 'no-deadlock', ({ aftermath }) => (aftermath.deadlocks = 1)],
  ])('names %s', (_what, rule, change) => {
    const run = rightRun();
    change(run);
    expect(judged(run).map((violation) => violation.rule)).toContain(rule);
  });

  test('tells of a thing done against what was answered all that was answered', () => {
    const run = rightRun();
    run.history.push(entry('5/cancel', { kind: 'cancel', order: 7 }, silence));
    run.history.push(entry('5/cancel', { kind: 'cancel', order: 7 }, { ...refused, code: 'illegal_transition', isAsking: true }));
    run.aftermath.events.push({ order: 7, event: 'status', status: 4, refundedCents: 0 });
    expect(judged(run).map(({ detail }) => detail)).toContain(
      'cancel 7 stands in its order: 1, acknowledged 0 (5/cancel: none, 409 illegal_transition in the end)',
    );
  });

  test('lets an open refresh, order of somebody who left, or change without a key be as it may', () => {
    const run = rightRun();
    run.history.push(
      entry('9/leave', { kind: 'leave', client: 9 }),
      entry('9/order', { ...order, client: 9 }, { ...silence, isAsking: true }),
      entry('9/cancel', { kind: 'cancel', order: 9 }, silence),
      // Its answer went with its client; until the token has run out the API says so.
      entry('9/cancel', { kind: 'cancel', order: 9 }, { ...refused, status: 404, code: 'not_found', isAsking: true }),
    );
    run.aftermath.events.push({ order: 9, event: 'status', status: 4, refundedCents: 0 });
    run.history.push(entry('staff/c', { kind: 'append', register: 2, word: 'c' }, silence));
    run.history.push(entry('s/2', { kind: 'refresh', session: 's', generation: 2 }, silence));
    run.history.push(entry('6/c', { kind: 'change', thing: 'line', id: 80, version: 3, content: '1' }, silence));
    Object.assign(theLine(run.aftermath), { version: 4, content: '1' });
    Object.assign(run.aftermath.moved[0]!, { pieces: 1, moved: 1 });
    expect(judged(run)).toEqual([]);
  });
});
