import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { statement } from '#api/db/statement.ts';
import type { Db } from '#api/db/tx.ts';
import { askEachPage, cursor, nextPage, pageQuery, type WrittenPage } from '#api/shop/pages.ts';
import { productFilter } from '#api/shop/products/product-schema.ts';

const anyId = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const anyName = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((name) => !name.includes('\0') && name.isWellFormed());
const cursorAt = (...place: (string | number)[]): string => nextPage({ json: '[]', place: JSON.stringify(place) }) ?? '';

describe('a cursor', () => {
  test('leads back to the place it was made of, whatever the last row is called', () => {
    fc.assert(
      fc.property(anyName, anyId, (name, id) => {
        expect(cursor.parse(cursorAt(name, id))).toEqual([name, id]);
      }),
    );
  });

  test('smuggles no NUL past whoever reads the query', () => {
    expect(cursor.safeParse(cursorAt('a\0', 1)).success).toBe(false);
  });

  test('is there only when the page has the place of a last row', () => {
    expect(nextPage({ json: '[]', place: null })).toBeUndefined();
    expect(pageQuery.parse({ cursor: nextPage({ json: '[{}]', place: '[7]' }) }).cursor).toEqual([7]);
  });

  test.each([
    ['nothing', ''],
    ['no text of JSON', 'e30x'],
    ['an object', Buffer.from('{"0":1,"length":1}').toString('base64url')],
    ['a number with a fraction', cursorAt(1.5)],
    ['too much', 'A'.repeat(2_001)],
    ['a place of another list', cursorAt('Lamp', 7)],
  ])('is refused when it is %s', (_, given) => {
    const { success, error } = pageQuery.safeParse({ cursor: given });
    expect([success, error?.issues.map(({ path }) => path)]).toEqual([false, [['cursor']]]);
  });

  test.each([
    [undefined, cursorAt(7), cursorAt('Lamp', 7)],
    ['price_desc', cursorAt(100, 7), cursorAt('Lamp', 7)],
    ['name', cursorAt('Lamp', 7), cursorAt(7)],
  ])('of products ordered by %s is one of that order', (sort_by, good, bad) => {
    const query = (given: string) => productFilter.safeParse({ cursor: given, ...(sort_by !== undefined && { sort_by }) });
    expect([query(good).success, query(bad).error?.issues.map(({ path }) => path)]).toEqual([true, [['cursor']]]);
  });
});

test('a page goes into one question with others, but alone where it is of more than 100 or skips more than 1,000', async () => {
  const ways: string[] = [];
  const row = { json: '[]', place: null };
  const note = (way: string, values: unknown) => ways.push(`${way} ${JSON.stringify(values)}`);
  const db = {
    byEach: async (_: unknown, numbers: unknown) => (note('together', numbers), row),
    query: async (_: unknown, values: unknown) => (note('alone', values), [row]),
  } as unknown as Db;
  const pages = statement<WrittenPage & { readonly id_key: string }>('pages', '');
  for (const [limit, skip] of [
    [100, 1_000],
    [101, 0],
    [1, 1_001],
  ] as const)
    expect(await askEachPage(db, pages, { limit, skip, cursor: [7] }, [5])).toBe(row);
  expect(ways).toEqual(['together [100,1000,7,5]', 'alone [[101],[0],[7],[5]]', 'alone [[1],[1001],[7],[5]]']);
});
