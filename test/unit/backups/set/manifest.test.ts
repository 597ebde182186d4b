import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManifestError, manifestText, parseManifest } from '#backups/set/manifest.ts';
import { sampleManifest } from './sample-manifest.ts';

describe('a manifest', () => {
  test('reads back as it was written, verification included', () => {
    const manifest = sampleManifest({
      state: 'failed',
      verification: { at: '2026-11-24T02:01:00.000Z', durationMs: 900, restoreMs: 400, reasons: ['database.dump: missing'] },
    });
    expect(parseManifest(manifestText(manifest))).toEqual(manifest);
  });

  test('has one text, whatever order its members are given in', () => {
    const manifest = sampleManifest();
    const turned = Object.fromEntries(Object.entries(manifest).toReversed()) as typeof manifest;
    expect(manifestText(turned)).toBe(manifestText(manifest));
  });

  test('does not read with any byte changed, added or cut off', () => {
    const bytes = Buffer.from(manifestText(sampleManifest()));
    const anywhere = fc.integer({ min: 0, max: bytes.length - 1 });
    fc.assert(
      fc.property(anywhere, fc.integer({ min: 1, max: 255 }), (position, difference) => {
        const changed = Buffer.from(bytes);
        changed[position] = (changed[position] ?? 0) ^ difference;
        expect(() => parseManifest(changed.toString('utf8'))).toThrow(ManifestError);
        expect(() => parseManifest(bytes.subarray(0, position).toString('utf8'))).toThrow(/^manifest\.json: /);
      }),
      { numRuns: 400 },
    );
    expect(() => parseManifest(`${bytes.toString('utf8')}\n`)).toThrow(ManifestError);
  });

  test('of a later format is refused, naming the member', () => {
    const later = manifestText(sampleManifest()).replace('"formatVersion": 1', '"formatVersion": 2');
    expect(() => parseManifest(later)).toThrow(/^manifest\.json: formatVersion: /);
  });
});
