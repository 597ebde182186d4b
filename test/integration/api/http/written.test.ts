import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { day, flag, integer, many, nullable, parent, text, time, view, type Written } from '#api/http/view.ts';
import { money } from '#api/shop/money.ts';
import { reviewView } from '#api/shop/reviews/review-schema.ts';
import { test } from '#test/support/migrated-database.ts';

const part = view([integer('id_key'), text('label')]);
const thing = view([
  integer('id_key'),
  text('name'),
  nullable(text('note')),
  money('price', 'price_cents'),
  nullable(integer('other_id')),
  flag('is_new'),
  time('made'),
  nullable(time('sold')),
  day('due'),
  parent('first', part, 'unnest(things.part_ids[1:1], things.part_labels[1:1]) AS part (id_key, label)'),
  many('parts', part, 'unnest(things.part_ids, things.part_labels) AS part (id_key, label)'),
  integer('version'),
]);

/** PostgreSQL keeps no NUL and no half of a surrogate pair. */
const anyText = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"', '\\', '\u2028\u007F', '\b\f\n\r\t\u001F', `' || 1`, '{}[],:'),
  )
  .filter((given) => given.isWellFormed() && !given.includes('\0'));
const anyTime = fc.date({ noInvalidDate: true, min: new Date('1970-01-01'), max: new Date('9999-12-31') });
const option = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const anyRow = fc.record({
  id_key: fc.maxSafeNat(),
  name: anyText,
  note: option(anyText),
  price_cents: fc.oneof(fc.nat(150), fc.nat(99_999_999), fc.constant(999_999_999_999)),
  other_id: option(fc.maxSafeNat()),
  is_new: fc.boolean(),
  made: anyTime,
  sold: option(anyTime),
  due: anyTime.map((at) => at.toISOString().slice(0, 10)),
  parts: fc.array(fc.record({ id_key: fc.nat(), label: anyText }), { maxLength: 4 }),
  version: fc.nat(2_147_483_647),
});

/** The same row as a table has it. */
const things = `(SELECT $1::bigint AS id_key, $2::text AS name, $3::text AS note, $4::bigint AS price_cents, $5::bigint AS other_id,
  $6::boolean AS is_new, $7::timestamptz AS made, $8::timestamptz AS sold, $9::date AS due, $10::bigint[] AS part_ids,
  $11::text[] AS part_labels, $12::integer AS version) AS things`;

describe('what the database writes by the SQL of a view', () => {
  test('is to the byte what the view writes, whatever the row', async ({ db }) => {
    await fc.assert(
      fc.asyncProperty(anyRow, async (row) => {
        const { id_key, name, note, price_cents, other_id, is_new, made, sold, due, parts, version } = row;
        const columns = [id_key, name, note, price_cents, other_id, is_new, made, sold, due];
        const values = [...columns, parts.map((one) => one.id_key), parts.map(({ label }) => label), version];
        const { rows } = await db.pool.query<Written & { list: string }>(
          `SELECT ${thing.sql} AS json, (SELECT ${thing.listSql} FROM (SELECT things.* FROM generate_series(1, 2)) AS things) AS list FROM ${things}`,
          values,
        );
        const json = thing.json({ ...row, first: parts[0] ?? null });
        expect(rows).toEqual([{ json, list: `[${json},${json}]` }]);
      }),
      { numRuns: 300 },
    );
  });

  test('cuts a time as finely as JSON shows it, and rounds it nowhere', async ({ db }) => {
    const made = view([time('made')]);
    const { rows } = await db.pool.query<Written & { made: Date }>(
      `SELECT ${made.sql} AS json, made FROM (VALUES ('2026-11-26T05:00:59.9999999Z'::timestamptz), ('2026-11-26T05:00:00.123999Z'), ('1999-12-31T23:59:59.999999+05')) AS things (made)`,
    );
    expect(rows.map(({ json }) => json)).toEqual(rows.map(made.json));
    expect(rows[1]?.json).toBe('{"made":"2026-11-26T05:00:00.123Z"}');
  });

  test('shows stars as the view does, all of them', async ({ db }) => {
    const { rows } = await db.pool.query<{ tenths: number; json: string }>(
      `SELECT rating_tenths AS tenths, ${reviewView.sql} AS json FROM (SELECT tenths AS rating_tenths, 1 AS id_key, NULL AS comment, 1 AS product_id,
         NULL AS author, true AS verified_purchase, now() AS date, 1 AS version FROM generate_series(10, 50) tenths) AS reviews`,
    );
    expect(rows.map(({ json }) => JSON.parse(json).rating)).toEqual(rows.map(({ tenths }) => tenths / 10));
    expect(rows.map(({ json }) => /"rating":([\d.]+),/.exec(json)?.[1])).toEqual(rows.map(({ tenths }) => String(tenths / 10)));
  });

  test('of no rows is an empty list', async ({ db }) => {
    const { rows } = await db.pool.query(`SELECT ${part.listSql} AS json FROM (SELECT 1 AS id_key, 'x' AS label WHERE false) AS parts`);
    expect(rows).toEqual([{ json: '[]' }]);
  });
});
