import type { Manifest } from '#backups/set/manifest.ts';

/** A valid manifest; `changes` replace its members. */
export function sampleManifest(changes: Partial<Manifest> = {}): Manifest {
  return {
    id: '20261124T020000Z',
    kind: 'regular',
    state: 'written',
    takenAt: '2026-11-24T02:00:00.123Z',
    database: 'shop',
    walPosition: '0/1D4CC00',
    server: { version: '15.18', major: 15 },
    pgDump: { version: '15.18', major: 15 },
    locale: { encoding: 'UTF8', collate: 'C', ctype: 'C', provider: 'libc' },
    roles: ['shop'],
    databaseBytes: 10_000_000,
    durationMs: 1200,
    files: {
      'database.dump': { sizeBytes: 5000, sha256: 'a'.repeat(64) },
      'globals.sql': { sizeBytes: 300, sha256: 'b'.repeat(64) },
    },
    fingerprint: {
      tables: { 'public.orders': { rows: 12, hash: '-146997660792263761451' }, 'public."Odd Name"': { rows: 0, hash: '0' } },
      sequences: { 'public.orders_id_seq': { lastValue: '12', increment: '1', cycles: false } },
    },
    ...changes,
  };
}
