import { expect, test } from 'vitest';
import { readCompareOptions } from '#loadtest/compare/compare-options.ts';
import { parseSide } from '#loadtest/compare/sides.ts';

const options = (flags: Readonly<Record<string, string | boolean>>) =>
  readCompareOptions({ flags: { a: '.', b: '.', ...flags }, positionals: [] }, 7);

test.each([
  { text: 'http://127.0.0.1:8000', side: { kind: 'target', origin: 'http://127.0.0.1:8000' } },
  { text: 'DB_POOL_SIZE=5', side: { kind: 'settings', settings: { DB_POOL_SIZE: '5' } } },
  {
    text: 'DB_POOL_SIZE=5,CORS_ORIGINS=http-a,b,API_WORKERS=2',
    side: { kind: 'settings', settings: { DB_POOL_SIZE: '5', CORS_ORIGINS: 'http-a,b', API_WORKERS: '2' } },
  },
  { text: '.', side: { kind: 'settings', settings: {} } },
  { text: 'main', side: { kind: 'ref', ref: 'main' } },
  { text: 'HEAD~1', side: { kind: 'ref', ref: 'HEAD~1' } },
  { text: 'release/1.2', side: { kind: 'ref', ref: 'release/1.2' } },
])('$text is $side', ({ text, side }) => {
  expect(parseSide('--a', text, [])).toMatchObject(side);
});

test('a ref is never an option of git', () => {
  expect(() => parseSide('--a', '--upload-pack=x', [])).toThrow('--a --upload-pack=x must be an address');
});

test('secrets among the settings are not shown', () => {
  expect(parseSide('--b', 'DB_POOL_SIZE=5,JWT_SECRET=hunter2', []).says).not.toContain('hunter2');
});

test('what leads a stack to somebody’s database, or to its own ports, is no setting to compare', () => {
  for (const text of ['POSTGRES_HOST=db', 'API_PORT=1', 'DB_POOL_SIZE=5,LOCAL_DATA_DIR=/x'])
    expect(() => parseSide('--a', text, [])).toThrow(/decides \w+ itself/);
});

test('a service that runs is compared with another one, on this machine unless its host is named', () => {
  expect(() => options({ b: 'http://127.0.0.1:1' })).toThrow('--a and --b must both be addresses, or neither');
  expect(() => options({ b: 'http://shop.example' })).toThrow('add --allow-host shop.example');
  expect(options({ a: 'http://127.0.0.1:1', b: 'http://shop.example', 'allow-host': 'shop.example' }).b).toMatchObject({ kind: 'target' });
});

test('without flags: 24 rounds, 10 % to be told, 5 % to count at all, one false alarm in a hundred at most', () => {
  expect(options({})).toMatchObject({ rounds: 24, asked: { alpha: 0.01, gate: 0.05, effect: 0.1 }, isCalibrated: false, paths: undefined });
});

test('who wants to tell less than twice the gate gets a finer gate', () => {
  expect(options({ effect: '4%' }).asked).toEqual({ alpha: 0.01, gate: 0.02, effect: 0.04 });
  expect(options({ effect: '30%' }).asked.gate).toBe(0.05);
});

test.each([{ rounds: '3' }, { rounds: '0' }, { rounds: '62' }, { rounds: 'many' }, { effect: '0%' }, { effect: '10' }, { path: 'x' }])(
  '%o is refused',
  (flags) => {
    expect(() => options(flags)).toThrow(`--${Object.keys(flags)[0]} `);
  },
);
