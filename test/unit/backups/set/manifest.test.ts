import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManifestError, manifestText, parseManifest, readManifest, writeManifest, type Manifest } from '#backups/set/manifest.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { sampleManifest } from './sample-manifest.ts';

const parse = (text: string): Manifest => parseManifest(Buffer.from(text));
/** The form in which version 1 was written. */
const inOneForm = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
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
    expect(JSON.parse(manifestText(sampleManifest()))).toMatchObject({ version: 3, id: '20261124T020000Z' });
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

  test('that does not match its checksum is said to be damaged, with a code that alerts carry', () => {
    const changed = manifestText(sampleManifest()).replace('"shop"', '"shap"');
    expect(() => parse(changed)).toThrow(
      expect.objectContaining({ message: 'manifest.json: it does not match its own checksum', code: 'MANIFEST_DAMAGED' }),
    );
  });

  test.each(['', '{', 'null', '7', '"set"', '[]'])('is a JSON object: not %j', (text) => {
    expect(() => parse(text)).toThrow(/^manifest\.json: it is not a JSON object$/);
  });

  test('ends with the SHA-256 of what stands before that line', () => {
    const text = manifestText(sampleManifest());
    const [, body, sha256] = /^(.*\n)  "checksum": "([0-9a-f]{64})"\n\}\n$/s.exec(text) ?? [];
    expect(sha256).toBe(
      createHash('sha256')
        .update(body as string)
        .digest('hex'),
    );
  });
});

describe('the manifest in the folder of a set', () => {
  test('is a file of its own, which replaces the one before as a whole', async () => {
    const set = await temporaryFolder();
    await writeManifest(set, sampleManifest());
    await writeManifest(set, sampleManifest({ state: 'verified' }));
    expect(readdirSync(set)).toEqual(['manifest.json']);
    expect(await readManifest(set)).toEqual(sampleManifest({ state: 'verified' }));
  });

  test('is told to be missing, or why it cannot be read, with the cause', async () => {
    const set = await temporaryFolder();
    await expect(readManifest(set)).rejects.toThrow(
      expect.objectContaining({ message: 'manifest.json: missing', cause: expect.objectContaining({ code: 'ENOENT' }) }),
    );
    mkdirSync(join(set, 'manifest.json'));
    await expect(readManifest(set)).rejects.toThrow('manifest.json: EISDIR: illegal operation on a directory, read');
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
    const next = { version: 4, ...sampleManifest() };
    expect(() => parse(manifestText(next))).toThrow(
      /^manifest\.json: version 4 is not known here; use the release of Atalaya that wrote it, or a newer one$/,
    );
  });

  test('of version 1 does not read written with other spaces, or with a checksum of something else', () => {
    const { checksum, ...content } = JSON.parse(read('version-1.manifest').toString()) as Record<string, unknown>;
    expect(() => parse(inOneForm({ ...content, checksum }))).not.toThrow();
    expect(() => parse(JSON.stringify({ ...content, checksum }))).toThrow(/does not match its own checksum$/);
    expect(() => parse(inOneForm({ ...content, database: 'shap', checksum }))).toThrow(/does not match its own checksum$/);
    expect(() => parse(inOneForm(content))).toThrow(/does not match its own checksum$/);
  });
});
