import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManifestError, manifestText, parseManifest, type Manifest } from '#backups/set/manifest.ts';
import { sampleManifest } from './sample-manifest.ts';

const parse = (text: string): Manifest => parseManifest(Buffer.from(text));
const released = join(import.meta.dirname, 'manifests');
const read = (name: string): Buffer => readFileSync(join(released, name));

describe('a manifest', () => {
  test('reads back as it was written, verification included', () => {
    const manifest = sampleManifest({
      state: 'failed',
      verification: { at: '2026-11-24T02:01:00.000Z', durationMs: 900, restoreMs: 400, reasons: ['database.dump: missing'] },
    });
    expect(parse(manifestText(manifest))).toEqual(manifest);
  });

  test('is JSON, and names its version', () => {
    expect(JSON.parse(manifestText(sampleManifest()))).toMatchObject({ version: 2, id: '20261124T020000Z' });
  });

  test('does not read with any byte changed, added or cut off, in whatever version it is', () => {
    for (const bytes of [Buffer.from(manifestText(sampleManifest())), ...readdirSync(released).map(read)]) {
      const anywhere = fc.integer({ min: 0, max: bytes.length - 1 });
      fc.assert(
        fc.property(anywhere, fc.integer({ min: 1, max: 255 }), (position, difference) => {
          const changed = Buffer.from(bytes);
          changed[position] = (changed[position] ?? 0) ^ difference;
          expect(() => parseManifest(changed)).toThrow(ManifestError);
          expect(() => parseManifest(bytes.subarray(0, position))).toThrow(/^manifest\.json: /);
        }),
        { numRuns: 400 },
      );
      expect(() => parseManifest(Buffer.concat([bytes, Buffer.from('\n')]))).toThrow(ManifestError);
    }
  });

  test('with a member that is missing or of another type is refused, naming the member', () => {
    const { database: _database, ...rest } = sampleManifest();
    expect(() => parse(manifestText(rest as Manifest))).toThrow(/^manifest\.json: database: /);
    expect(() => parse(manifestText({ ...sampleManifest(), roles: 'shop' } as unknown as Manifest))).toThrow(/^manifest\.json: roles: /);
  });
});

describe('a manifest of another release', () => {
  test.each(readdirSync(released))('reads as it did when it was written: %s', (name) => {
    expect(parseManifest(read(name))).toMatchObject({
      id: '20261124T020000Z',
      state: 'verified',
      database: 'shop',
      locale: { provider: 'builtin', name: 'C.UTF-8' },
      fingerprint: {
        tables: { 'public."Odd Ñame"': { rows: 0, hash: '0' }, 'public.orders': { rows: 12, hash: '-146997660792263761451' } },
      },
      verification: { restoreMs: 400 },
    });
  });

  test('of version 2 holds the schema and what belongs to the database', () => {
    expect(parseManifest(read('version-2.manifest'))).toMatchObject({
      fingerprint: { schema: { 'column public.orders.total': '#3 bigint not null' } },
      properties: { owner: 'shop', grants: [{ to: null, privilege: 'CONNECT' }], settings: [{ value: '7MB' }, { role: 'ecommerce' }] },
    });
  });

  test('reads with its members in any order', () => {
    const manifest = sampleManifest();
    const turned = Object.fromEntries(Object.entries(manifest).toReversed()) as typeof manifest;
    expect(parse(manifestText(turned))).toEqual(manifest);
  });

  test('reads with members that nobody here knows, and keeps them when it is written again', () => {
    const later = { ...sampleManifest(), encryption: { key: 'k1' }, server: { version: '15.18', major: 15, host: 'db' } };
    const again = parse(manifestText({ ...parse(manifestText(later)), state: 'verified' }));
    expect(again).toEqual({ ...later, state: 'verified' });
  });

  test('of a version that is not known here is refused, saying so rather than that it is damaged', () => {
    const next = { version: 3, ...sampleManifest() };
    expect(() => parse(manifestText(next))).toThrow(
      /^manifest\.json: version 3 is not known here; use the release of Atalaya that wrote it/,
    );
  });
});
