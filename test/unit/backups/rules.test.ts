import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findSet } from '#backups/set/catalogue.ts';
import { compareFingerprints } from '#backups/postgres/fingerprint.ts';
import { parseToolVersion } from '#backups/postgres/commands.ts';
import { spaceNeededBytes } from '#backups/take.ts';
import { setsUnknownParameter, withoutUnknownParameter } from '#backups/postgres/restore.ts';
import { sampleManifest } from './set/sample-manifest.ts';

const found = (id: string, changes: Parameters<typeof sampleManifest>[0] = {}) => ({
  id,
  path: `/b/${id}`,
  manifest: sampleManifest({ id, ...changes }),
});
const at = (lastValue: string, increment: string) => ({ tables: {}, sequences: { s: { lastValue, increment, cycles: false } } });

describe('the version a client program names', () => {
  test.each([
    ['pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', { text: '15.18', major: 15 }],
    ['pg_restore (PostgreSQL) 17beta1', { text: '17beta1', major: 17 }],
    ['pg_dump (PostgreSQL) 9.6.24', { text: '9.6.24', major: 9 }],
    ['mysqldump  Ver 8.0.36', undefined],
    ['', undefined],
  ])('%j', (line, expected) => {
    expect(parseToolVersion(line)).toEqual(expected);
  });
});

describe('the free space asked for', () => {
  const mib = 1024 * 1024;
  test('is half the database for the first backup, and the last good one and a third once that is more', () => {
    expect(spaceNeededBytes({ databaseBytes: 1000 * mib, lastGoodBytes: 0 })).toBe(564 * mib);
    expect(spaceNeededBytes({ databaseBytes: 1000 * mib, lastGoodBytes: 1000 * mib })).toBe(1364 * mib);
  });
});

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

describe('the set meant by latest', () => {
  const older = found('20261120T020000Z');
  const newer = found('20261121T020000Z');

  test('is the newest regular one of the database', () => {
    const safety = found('20261122T020000Z', { kind: 'safety' });
    const foreign = found('20261123T020000Z', { database: 'crm' });
    expect(findSet({ sets: [foreign, safety, newer, older], damaged: [] }, 'latest', 'shop')).toBe(newer);
  });

  test('is the damaged one when that is the newest, so that damage is not hidden', () => {
    const damaged = { id: '20261122T020000Z', path: '/b/20261122T020000Z', reason: 'manifest.json: missing' };
    expect(findSet({ sets: [newer, older], damaged: [damaged] }, 'latest', 'shop')).toBe(damaged);
  });

  test('is refused where there is none, and an unknown id too', () => {
    expect(() => findSet({ sets: [], damaged: [] }, 'latest', 'shop')).toThrow(/take one with npm run backup/);
    expect(() => findSet({ sets: [newer], damaged: [] }, 'latest', 'crm')).toThrow(/name one by its id/);
    expect(() => findSet({ sets: [newer], damaged: [] }, '../../etc', 'shop')).toThrow(/there is no backup/);
  });
});

describe('a newer pg_restore before an older server', () => {
  test('begins with a setting the server does not know only across version 17', () => {
    expect([
      setsUnknownParameter(17, 15),
      setsUnknownParameter(18, 16),
      setsUnknownParameter(16, 15),
      setsUnknownParameter(18, 17),
    ]).toEqual([true, true, false, false]);
  });

  test('loses that line and no other byte, wherever the text is cut into chunks', async () => {
    const head = '--\n-- PostgreSQL database dump\n--\n\nSET lock_timeout = 0;\n';
    const unknown = 'SET transaction_timeout = 0;\n';
    const tail = Buffer.concat([
      Buffer.from("SET client_encoding = 'UTF8';\n"),
      Buffer.from([0xff, 0xfe, 0x00, 0x80]),
      Buffer.alloc(40_000, 'x\n'),
      Buffer.from(unknown),
    ]);
    const text = Buffer.concat([Buffer.from(head + unknown), tail]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 6 }), async (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const chunks = edges.slice(1).map((end, index) => text.subarray(edges[index], end));
        const cleaned = await buffer(Readable.from(chunks).pipe(withoutUnknownParameter()));
        expect(cleaned.equals(Buffer.concat([Buffer.from(head), tail]))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
