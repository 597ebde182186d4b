import { describe, expect, test } from 'vitest';
import { createTold, judgeAnswer, type Row } from '#test/staleness/told.ts';

const thing = (id: number, version: number, others: object = {}): Row => ({ id_key: id, version, ...others });

describe('what an answer must show', () => {
  test('what was told before it was asked for, and no more', () => {
    const told = createTold();
    told.add('orders', 7, 2);
    const before = told.count();
    told.add('orders', 7, 3);
    expect(judgeAnswer(told, 'orders', [thing(7, 1)], before, 1).stale).toBe('orders 7 at version 1, after 2 was answered');
    expect(judgeAnswer(told, 'orders', [thing(7, 2)], before, 1).stale, 'told while it was on its way').toBeUndefined();
    expect(judgeAnswer(told, 'orders', [thing(7, 2)], told.count(), 1).stale, 'told before').toContain('after 3');
  });

  test('the newest that was told, whichever writer is answered last', () => {
    const told = createTold();
    told.add('orders', 7, 5);
    told.add('orders', 7, 4);
    expect(judgeAnswer(told, 'orders', [thing(7, 4)], told.count(), 1).stale).toContain('after 5');
  });

  test('of each thing of a list, and of no other', () => {
    const told = createTold();
    told.add('bills', 2, 5);
    told.add('addresses', 3, 9);
    expect(judgeAnswer(told, 'bills', [thing(1, 1), thing(2, 5), thing(3, 1)], told.count(), 3)).toEqual({ shown: 3, stale: undefined });
    expect(judgeAnswer(told, 'bills', [thing(1, 1), thing(2, 4), thing(3, 1)], told.count(), 3).stale).toContain('bills 2 at version 4');
  });

  test('of what a product shows of others too', () => {
    const told = createTold();
    told.add('categories', 4, 2);
    told.add('reviews', 8, 3);
    const stale = (category: Row | null, reviews: readonly Row[]): string | undefined =>
      judgeAnswer(told, 'products', [thing(1, 1, { category, reviews })], told.count(), 1).stale;
    expect(stale(thing(4, 2), [thing(8, 3)])).toBeUndefined();
    expect(stale(thing(4, 1), [thing(8, 3)])).toContain('categories 4');
    expect(stale(null, [thing(9, 1), thing(8, 2)])).toContain('reviews 8');
  });

  test('as many things as there are, each with a version', () => {
    const told = createTold();
    expect(judgeAnswer(told, 'clients', [], 0, 1).stale).toBe('0 clients instead of 1');
    expect(judgeAnswer(told, 'clients', [{ id_key: 1 } as Row], 0, 1).stale).toContain('clients 1');
  });
});
