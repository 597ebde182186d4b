import { expect, test } from 'vitest';
import { pgDumpAllArgs, pgDumpArgs, pgRestoreArgs, pgRestoreToTextArgs, psqlArgs } from '#backups/postgres/pg-commands.ts';

test('pg_dump reads the exported snapshot, waits for no lock for ever, and asks for no password', () => {
  expect(pgDumpArgs({ snapshot: '00000003-0000001B-1' })).toEqual([
    '--format=custom',
    '--compress=6',
    '--no-password',
    '--lock-wait-timeout=3s',
    '--snapshot=00000003-0000001B-1',
  ]);
});

test('role passwords are left out unless the role may read them', () => {
  expect(pgDumpAllArgs({ database: 'shop', rolePasswords: false })).toContain('--no-role-passwords');
  expect(pgDumpAllArgs({ database: 'shop', rolePasswords: true })).not.toContain('--no-role-passwords');
});

test('a restore ends at its first error, and a proof of the data needs no role of the dump', () => {
  const everything = pgRestoreArgs({ file: '/b/database.dump', database: 'shop', scope: 'everything' });
  expect(everything).toEqual(['--exit-on-error', '--no-password', '--jobs=2', '--dbname=shop', '/b/database.dump']);
  const data = pgRestoreArgs({ file: '/b/database.dump', database: 'shop', scope: 'data' });
  expect(data).toEqual(expect.arrayContaining(['--exit-on-error', '--no-owner', '--no-privileges', '--no-subscriptions']));
});

test('SQL text goes through psql, which stops at its first error', () => {
  expect(pgRestoreToTextArgs({ file: '/b/database.dump', output: '-', scope: 'everything' })).toEqual([
    '--exit-on-error',
    '--file=-',
    '/b/database.dump',
  ]);
  expect(psqlArgs({ database: 'shop' })).toEqual(expect.arrayContaining(['--no-psqlrc', '--set=ON_ERROR_STOP=1', '--dbname=shop']));
});
