import { expect, test } from 'vitest';
import { followValues, valueOf, type Sent, type Take } from '#bench/routes/follow-values.ts';

const sent = (text: string, values: unknown[], rows: Sent['rows'] = []): Sent => ({ name: text, text, values, isText: false, rows });

/** An order of two lines under a key: claimed, recorded, its stock taken, its answer kept. */
const take = (key: string, order: number, lines: readonly number[]): Take => ({
  key,
  sent: [
    sent('BEGIN', []),
    sent('claim', ['client:1', key, 'digest']),
    sent('record', [1, [7, 8]], [{ id_key: order, line_ids: lines }]),
    sent('take', [[7, 8], [1, 1], [order, order], lines]),
    sent('store', [key, 201, `{"id_key":${order}}`]),
    sent('COMMIT', []),
  ],
});

test('what differs between two takes of a request is taken from the key and from earlier answers, and the rest stays', () => {
  const script = followValues(take('a', 20, [31, 32]), take('b', 21, [33, 34]));
  const answered = [[], [], [{ id_key: 55, line_ids: [91, 92] }]];
  const asked = script.map(({ text, values }) => [text, values.map((source) => valueOf(source, 'c', answered))]);
  expect(asked).toEqual([
    ['BEGIN', []],
    ['claim', ['client:1', 'c', 'digest']],
    ['record', [1, [7, 8]]],
    [
      'take',
      [
        [7, 8],
        [1, 1],
        [55, 55],
        [91, 92],
      ],
    ],
    ['store', ['c', 201, '{"id_key":20}']],
    ['COMMIT', []],
  ]);
});

test('a value that only happens to equal an earlier answer is not taken from it', () => {
  const [one, other] = [take('a', 7, [8, 9]), take('b', 8, [10, 11])];
  expect(followValues(one, other)[3]?.values[0]).toEqual({ is: [7, 8] });
});

test('a request that sends other statements the second time cannot be repeated', () => {
  const other = take('b', 21, [33, 34]);
  expect(() => followValues(take('a', 20, [31, 32]), { ...other, sent: other.sent.slice(0, 2) })).toThrow('different statements');
});
