import { describe, expect, test } from 'vitest';
import { manifestText, parseManifest, type ManifestError } from '#backups/set/manifest.ts';
import { sampleManifest } from './sample-manifest.ts';

type Path = readonly string[];

/** A manifest with every member that may stand in one. */
const whole = sampleManifest({
  locale: { encoding: 'UTF8', collate: 'C', ctype: 'C', provider: 'builtin', name: 'C.UTF-8' },
  fingerprint: {
    tables: { 'public.orders': { rows: 12, hash: '-146997660792263761451' } },
    sequences: { 'public.orders_id_seq': { lastValue: '12', increment: '-10', cycles: false } },
    schema: { 'column public.orders.total': '#3 bigint not null' },
  },
  properties: {
    owner: 'shop',
    connectionLimit: -1,
    comment: 'of the shop',
    grants: [{ to: 'reader', privilege: 'CONNECT', isGrantable: false }],
    settings: [{ role: 'reader', name: 'work_mem', value: '7MB' }],
  },
  verification: { at: '2026-11-24T02:01:00.000Z', durationMs: 900, restoreMs: 400, reasons: ['database.dump: missing'] },
});

const mayBeAbsent = [
  'locale.name',
  'fingerprint.schema',
  'properties',
  'properties.comment',
  'properties.grants',
  'properties.settings.0.role',
  'verification',
  'verification.restoreMs',
];

/** Tables, sequences, objects and items of a list: there may be any number of them. */
const isEntry = (path: Path): boolean => (path[0] === 'fingerprint' && path.length === 3) || /^\d+$/.test(path.at(-1) ?? '');

/** Every member at whatever depth. */
function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [[...at, name], ...pathsOf(member, [...at, name])]);
}

const memberOf = (holder: unknown, path: Path): unknown => path.reduce((value, name) => (value as Record<string, unknown>)[name], holder);

/** What is said of the whole manifest with another value at one place; `undefined` leaves the member out. */
function verdictWith(path: Path, value: unknown): string {
  const changed = structuredClone(whole);
  (memberOf(changed, path.slice(0, -1)) as Record<string, unknown>)[path.at(-1) as string] = value;
  try {
    parseManifest(Buffer.from(manifestText(changed)));
    return 'reads';
  } catch (err) {
    return (err as ManifestError).message;
  }
}

describe('a member of a manifest', () => {
  test.each(pathsOf(whole).map((path) => [path.join('.'), path] as const))('of another type is refused by its name: %s', (name, path) => {
    const another = typeof memberOf(whole, path) === 'string' ? 7 : 'seven';
    expect(verdictWith(path, another).startsWith(`manifest.json: ${name}: Invalid `)).toBe(true);
  });

  const required = pathsOf(whole).filter((path) => !isEntry(path) && !mayBeAbsent.includes(path.join('.')));
  test.each(required.map((path) => [path.join('.'), path] as const))('that every release writes must be there: %s', (name, path) => {
    expect(verdictWith(path, undefined).startsWith(`manifest.json: ${name}: `)).toBe(true);
  });

  test.each(mayBeAbsent)('that not every set has may be absent: %s', (name) => {
    expect(verdictWith(name.split('.'), undefined)).toBe('reads');
  });

  test.each([
    [['kind'], ['regular', 'safety'], 'daily'],
    [['state'], ['written', 'verified', 'failed'], ''],
    [['locale', 'provider'], ['libc', 'icu', 'builtin'], 'posix'],
  ])('with a choice of values takes these and no other: %j', (path, choices, other) => {
    for (const choice of choices) expect(verdictWith(path, choice)).toBe('reads');
    expect(verdictWith(path, other)).toMatch(`manifest.json: ${path.join('.')}: Invalid option: expected one of `);
  });

  test.each([
    [['databaseBytes']],
    [['durationMs']],
    [['files', 'database.dump', 'sizeBytes']],
    [['files', 'globals.sql', 'sizeBytes']],
    [['fingerprint', 'tables', 'public.orders', 'rows']],
    [['verification', 'durationMs']],
    [['verification', 'restoreMs']],
  ])('that counts is a whole number from 0: %j', (path) => {
    for (const taken of [0, 1]) expect(verdictWith(path, taken)).toBe('reads');
    for (const refused of [-1, 1.5]) expect(verdictWith(path, refused)).toMatch(`manifest.json: ${path.join('.')}: `);
  });

  test.each([
    [
      'an id',
      ['id'],
      ['20261124T020000Z'],
      ['2026-11-24', 'x20261124T020000Z', '20261124T020000Z.part', '2026112T020000Z', '20261124T02000Z', ''],
    ],
    ['an instant', ['takenAt'], ['2026-11-24T02:00:00.123Z'], ['2026-11-24T02:00:00Z', '2026-11-24T02:00:00.123+01:00', 'today']],
    ['an instant', ['verification', 'at'], ['2026-11-24T02:00:00.123Z'], ['2026-11-24T02:00:00Z', '']],
    [
      'a SHA-256',
      ['files', 'globals.sql', 'sha256'],
      ['0af9'.repeat(16)],
      ['A'.repeat(64), 'a'.repeat(63), 'a'.repeat(65), `g${'a'.repeat(64)}`],
    ],
    ['an integer', ['fingerprint', 'tables', 'public.orders', 'hash'], ['0', '-12', '345'], ['', '-', '1.5', 'x1', '1x', '--1']],
    ['an integer', ['fingerprint', 'sequences', 'public.orders_id_seq', 'lastValue'], ['12', '-12'], ['', '1e3']],
    ['a name', ['database'], ['shop', 'S'], ['']],
  ])('that is %s is written in one way: %j', (_what, path, taken, refused) => {
    const refusal = `manifest.json: ${path.join('.')}: `;
    expect(taken.filter((text) => verdictWith(path, text) !== 'reads')).toEqual([]);
    expect(refused.filter((text) => !verdictWith(path, text).startsWith(refusal))).toEqual([]);
  });

  test('of a file that nobody here knows is refused: what is not checked must not pass for checked', () => {
    expect(verdictWith(['files', 'database.dump', 'md5'], 'd41d8c')).toBe('manifest.json: files.database.dump: Unrecognized key: "md5"');
  });

  test('of a grant may name PUBLIC by null', () => {
    expect(verdictWith(['properties', 'grants', '0', 'to'], null)).toBe('reads');
  });
});
