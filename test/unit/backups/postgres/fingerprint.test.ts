import { describe, expect, test } from 'vitest';
import { canonical, compareFingerprints, compareItems } from '#backups/postgres/fingerprint.ts';
import { sampleManifest } from '../set/sample-manifest.ts';

const at = (lastValue: string, increment: string) => ({ tables: {}, sequences: { s: { lastValue, increment, cycles: false } } });

describe('comparing a restored database with what was dumped', () => {
  const { fingerprint } = sampleManifest();
  const orders = 'public.orders';
  const withOrders = (change: { rows?: number; hash?: string }) => ({
    ...fingerprint,
    tables: { ...fingerprint.tables, [orders]: { rows: 12, hash: '-146997660792263761451', ...change } },
  });

  test('equal content has no differences', () => {
    expect(compareFingerprints(fingerprint, fingerprint)).toEqual([]);
  });

  test.each([
    ['rows are missing', withOrders({ rows: 11, hash: '5' }), ['public.orders: 11 rows restored, 12 expected']],
    ['a value changed', withOrders({ hash: '5' }), ['public.orders: the restored content differs (12 rows)']],
    [
      'a table is missing',
      { ...fingerprint, tables: { 'public."Odd Name"': { rows: 0, hash: '0' } } },
      ['public.orders: missing after the restore'],
    ],
    [
      'a table is too many',
      { ...fingerprint, tables: { ...fingerprint.tables, 'public.x': { rows: 0, hash: '0' } } },
      ['public.x: restored, though the manifest does not name it'],
    ],
    [
      'a sequence went back',
      { ...fingerprint, sequences: { 'public.orders_id_seq': { lastValue: '11', increment: '1', cycles: false } } },
      ['public.orders_id_seq: restored at 11, before 12'],
    ],
    ['a sequence is missing', { ...fingerprint, sequences: {} }, ['public.orders_id_seq: missing after the restore']],
  ])('%s', (_name, actual, expected) => {
    expect(compareFingerprints(fingerprint, actual)).toEqual(expected);
  });

  test('a sequence may be ahead, in its own direction', () => {
    expect(compareFingerprints(at('9223372036854775806', '1'), at('9223372036854775807', '1'))).toEqual([]);
    expect(compareFingerprints(at('-5', '-1'), at('-6', '-1'))).toEqual([]);
    expect(compareFingerprints(at('-5', '-1'), at('-4', '-1'))).toHaveLength(1);
  });
});

describe('comparing the schema', () => {
  const items = {
    'index public.orders_client_idx': 'CREATE INDEX …',
    'owner of table public.orders': 'shop',
    'grants on table public.orders': 'app: SELECT by shop',
  };
  const all = { withoutRoles: false, namesOnly: false };

  test('names what is missing, what is there besides, and what is another thing', () => {
    expect(
      compareItems(
        items,
        { 'index public.other': 'x', 'owner of table public.orders': 'shop', 'grants on table public.orders': 'none' },
        all,
      ),
    ).toEqual([
      'index public.orders_client_idx is missing',
      'grants on table public.orders differs: "none", expected "app: SELECT by shop"',
      'index public.other is there, though it was not when the backup was taken',
    ]);
  });

  test('looks at no owner and no grant where none were restored, and at names only across versions', () => {
    const actual = { 'index public.orders_client_idx': 'CREATE INDEX in other words', 'owner of table public.orders': 'me' };
    expect(compareItems(items, actual, { withoutRoles: true, namesOnly: true })).toEqual([]);
    expect(compareItems(items, actual, { withoutRoles: true, namesOnly: false })).toHaveLength(1);
    expect(compareItems(items, actual, { withoutRoles: false, namesOnly: true })).toEqual(['grants on table public.orders is missing']);
  });

  test('of a set of version 1, which holds no schema, is left out', () => {
    const { tables, sequences } = sampleManifest().fingerprint;
    expect(compareFingerprints({ tables, sequences }, { tables, sequences, schema: items })).toEqual([]);
  });

  test('takes one expression in the two wordings of the server for the same, and no other for it', () => {
    const typed = `CHECK (((kind)::text = ANY ((ARRAY['new'::character varying, 'it''s, so'::character varying])::text[])))`;
    const loaded = `CHECK (((kind)::text = ANY (ARRAY[('new'::character varying)::text, ('it''s, so'::character varying)::text])))`;
    expect(canonical(typed)).toBe(canonical(loaded));
    for (const other of [
      typed.replace('new', 'old'),
      typed.replace('text[]', 'bpchar[]'),
      typed.replace(`'new'::character varying, `, ''),
    ]) {
      expect(canonical(other)).not.toBe(canonical(loaded));
    }
  });
});
