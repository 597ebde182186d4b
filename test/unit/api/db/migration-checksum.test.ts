import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checksumOf, plainSql } from '#api/db/migration-checksum.ts';
import { migrations } from '#api/db/migrations/index.ts';

test.each([
  ['SELECT 1', 'SELECT 1'],
  ['\n  SELECT\t1 ,\r\n 2\n', 'SELECT 1,2'],
  ['SELECT 1 -- a comment\n, 2', 'SELECT 1,2'],
  ['CREATE TABLE a (\n  id bigint,\n  b text -- said\n);', 'CREATE TABLE a(id bigint,b text);'],
  ['SELECT /* a\n comment */ 1', 'SELECT 1'],
  [`SELECT 'two  spaces, it''s -- no comment'`, `SELECT 'two  spaces, it''s -- no comment'`],
  [`SELECT  "a  b"`, `SELECT "a  b"`],
  ['DO $body$  BEGIN -- kept\n END  $body$  ;', 'DO $body$  BEGIN -- kept\n END  $body$;'],
])('%j is, without what does not matter, %j', (sql, plain) => {
  expect(plainSql(sql)).toBe(plain);
});

test('white space and comments between words never matter', () => {
  const words = fc.array(fc.constantFrom('SELECT', '1', `'a  b'`, '"c--d"', '$$ e  f $$'), { minLength: 1 });
  const gap = fc.constantFrom(' ', '\n', '  \t ', ' -- said\n', ' /* said */ ');
  fc.assert(
    fc.property(words, fc.array(gap, { minLength: 20 }), (sql, gaps) => {
      const spaced = sql.map((word, index) => word + (gaps[index % gaps.length] as string)).join('');
      expect(plainSql(spaced)).toBe(sql.join(' '));
    }),
  );
});

test('every migration has a checksum of its own, always the same', async () => {
  const once = await Promise.all(migrations.map(checksumOf));
  expect(new Set(once).size).toBe(migrations.length);
  expect(await Promise.all(migrations.map(checksumOf))).toEqual(once);
});

const down = async (): Promise<void> => {};
const inserting = (name: string): Promise<string> =>
  checksumOf({
    up: async (knex) => {
      await knex('categories').insert({ name });
      await knex.schema.alterTable('categories', (categories) => void categories.text('note'));
    },
    down,
  });

test('values given beside the SQL, and statements built by knex, count too', async () => {
  expect(await inserting('books')).toBe(await inserting('books'));
  expect(await inserting('books')).not.toBe(await inserting('toys'));
});
