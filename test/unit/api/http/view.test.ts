import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { versionsFromIfMatch } from '#api/http/etag.ts';
import { integer, listOf, many, nullable, others, parent, text, time, view } from '#api/http/view.ts';
import { money } from '#api/shop/money.ts';

const part = view([integer('id_key'), text('label')]);
const thing = view([
  integer('id_key'),
  text('name'),
  nullable(text('note')),
  money('price', 'price_cents'),
  time('made'),
  many('parts', part, 'parts WHERE thing_id = things.id_key'),
  integer('version'),
]);
const cents = fc.nat(99_999_999);
const row = fc.record({
  id_key: fc.maxSafeNat(),
  name: fc.string({ unit: 'grapheme' }),
  note: fc.option(fc.string(), { nil: null }),
  price_cents: cents,
  made: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') }),
  parts: fc.array(fc.record({ id_key: fc.nat(), label: fc.string({ unit: 'binary' }) })),
  version: fc.nat(),
});

describe('a view', () => {
  test('writes every row as JSON.stringify would, whatever the texts', () => {
    fc.assert(
      fc.property(row, ({ price_cents, ...rest }) => {
        const { id_key, name, note, made, parts, version } = rest;
        const plain = { id_key, name, note, price: price_cents / 100, made: made.toISOString(), parts, version };
        expect(JSON.parse(thing.json({ price_cents, ...rest }))).toEqual(JSON.parse(JSON.stringify(plain)));
      }),
    );
  });

  test('writes PostgreSQL’s text of a number as the number, and money with two places', () => {
    const one = { id_key: '7', name: 'a"b', note: null, price_cents: '1990', made: new Date(0), parts: [], version: '2' };
    expect(thing.json(one)).toBe(
      '{"id_key":7,"name":"a\\"b","note":null,"price":19.90,"made":"1970-01-01T00:00:00.000Z","parts":[],"version":2}',
    );
  });

  test('selects its columns, and nothing that is no column', () => {
    expect(thing.select).toBe('id_key, name, note, price_cents, made, version');
    expect(thing.written).toBe(`id_key, version, ${thing.sql} AS json`);
    expect(part.written).toBe(`id_key, ('{"id_key":' || id_key::text || ',"label":' || to_json(label)::text || '}') AS json`);
  });

  test('describes its JSON', () => {
    expect(thing.schema).toMatchObject({
      type: 'object',
      required: ['id_key', 'name', 'note', 'price', 'made', 'parts', 'version'],
      properties: { note: { type: ['string', 'null'] }, parts: { type: 'array', items: part.schema } },
    });
  });

  test('tags a version, and with a new field tags it anew', () => {
    const fields = [integer('id_key'), integer('version')] as const;
    const [before, after] = [view(fields), view([...fields, nullable(text('note'))])];
    const tag = before.tag?.({ id_key: 1, version: 3 }, '{}');
    expect(tag).toMatch(/^"3-[0-9a-f]{8}"$/);
    expect(view(fields).tag?.({ id_key: 1, version: '3' }, '{"other":1}')).toBe(tag);
    expect(after.tag?.({ id_key: 1, version: 3, note: null }, '{}')).not.toBe(tag);
    expect(part.tag).toBeUndefined();
  });

  test('tags what belongs to others by its text too, since it changes without the version', () => {
    const { tag } = view([integer('id_key'), others(parent('owner', part, 'owners')), integer('version')]);
    const owned = { id_key: 1, owner: null, version: 3 };
    expect(tag?.(owned, '{}')).toMatch(/^"3-[0-9a-f]{8}-[0-9a-f]{16}"$/);
    expect(versionsFromIfMatch(tag?.(owned, '{}'))).toEqual([3]);
    expect([tag?.(owned, '{}') === tag?.(owned, '{}'), tag?.(owned, '{}') === tag?.(owned, '{ }')]).toEqual([true, false]);
  });

  test('tags a list weakly by its text, so that it names no version', () => {
    const list = listOf(part);
    const tag = list.tag?.({ json: '[1]' }, '[1]');
    expect(tag).toMatch(/^W\/"[\w-]{27}"$/);
    expect([list.tag?.({ json: '[1]' }, '[1]'), list.tag?.({ json: '[2]' }, '[2]') === tag]).toEqual([tag, false]);
  });
});
