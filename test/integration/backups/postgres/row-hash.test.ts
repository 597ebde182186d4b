import { beforeAll, afterAll, beforeEach, describe, expect, test } from 'vitest';
import { withSession } from '#backups/postgres/connection.ts';
import { takeFingerprint } from '#backups/postgres/fingerprint.ts';
import type { RowHashing } from '#backups/postgres/row-hash.ts';
import { readManifest, writeManifest } from '#backups/set/manifest.ts';
import { takeBackup } from '#backups/take.ts';
import { verifyBackup } from '#backups/verify.ts';
import { createDatabase, type TestDatabase } from '#test/support/database.ts';
import { missingClient, openShop, query } from '../shop.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

/** Count and hash of a table `t` that these statements make. */
async function tableOf(sql: string, hashing: RowHashing = 'columns'): Promise<{ rows: number; hash: string } | undefined> {
  await query(database.settings, `DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${sql}`);
  return withSession(database.settings, undefined, async ({ client }) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return (await takeFingerprint(client, hashing)).tables['public.t'];
  });
}

const holding = (type: string, value: string): string => `CREATE TABLE t (id int, v ${type}); INSERT INTO t VALUES (1, ${value})`;

describe.each(['columns', 'text'] as const)('the hash of a table by its %s', (hashing) => {
  test.each([
    ['bool', `true`, `false`],
    ['smallint', `1`, `-1`],
    ['int', `0`, `NULL`],
    ['bigint', `-1`, `4294967295`],
    ['bigint', `0`, `4294967297`],
    ['text', `''`, `NULL`],
    ['text', `'a'`, `'a '`],
    ['varchar(9)', `'a'`, `'A'`],
    ['"char"', `'a'`, `'b'`],
    ['date', `'2026-03-29'`, `'2026-03-30'`],
    ['timestamptz', `'2026-03-29 00:30+00'`, `'2026-03-29 00:30:00.000001+00'`],
    ['timestamp', `'infinity'`, `'-infinity'`],
    ['uuid', `'00000000-0000-0000-0000-000000000000'`, `'00000000-0000-0000-0000-000000000001'`],
    ['bytea', String.raw`'\x00'`, String.raw`'\x0000'`],
    ['numeric', `1.0`, `1.00`],
    ['float8', `'0'`, `'-0'`],
    ['float8', `0.1`, `0.10000000000000002`],
    ['interval', `'1 day'`, `'24 hours'`],
    ['jsonb', `'{"a": 1.0}'`, `'{"a": 1.00}'`],
    ['json', `'{"a": 1}'`, `'{"a":1}'`],
    ['text[]', `'{a,NULL}'`, `'{a,"NULL"}'`],
    ['money', `'1'`, `'2'`],
    ['point', `'(0,1)'`, `'(1,0)'`],
  ])('tells of %s %s from %s', async (type, before, after) => {
    const [one, other] = [await tableOf(holding(type, before), hashing), await tableOf(holding(type, after), hashing)];
    expect(one).toMatchObject({ rows: 1 });
    expect(other?.hash).not.toBe(one?.hash);
  });

  test('sees values that have changed places, between rows and within one', async () => {
    const made = 'CREATE TABLE t (a int, b int, c text); INSERT INTO t VALUES';
    const whole = await tableOf(`${made} (1, 2, 'x'), (3, 4, 'y')`, hashing);
    for (const changed of [`(3, 2, 'x'), (1, 4, 'y')`, `(1, 2, 'y'), (3, 4, 'x')`, `(2, 1, 'x'), (3, 4, 'y')`]) {
      expect((await tableOf(`${made} ${changed}`, hashing))?.hash).not.toBe(whole?.hash);
    }
  });

  test('does not depend on the order of rows, and counts repeated ones', async () => {
    const made = 'CREATE TABLE t (a bigint, b text); INSERT INTO t VALUES';
    const rows = await tableOf(`${made} (1, 'x'), (2, 'y')`, hashing);
    expect(await tableOf(`${made} (2, 'y'), (1, 'x')`, hashing)).toEqual(rows);
    expect((await tableOf(`${made} (1, 'x'), (2, 'y'), (2, 'y')`, hashing))?.hash).not.toBe(rows?.hash);
  });

  test('takes what one text stands for as one value, types and names of users included', async () => {
    const kinds = `CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN cents AS bigint; CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TABLE t ("A ""b" mood, c cents, d text COLLATE ci, e float8); INSERT INTO t VALUES ('glad', 7, `;
    const one = await tableOf(`${kinds} 'ä', 'NaN')`, hashing);
    // The processor's own NaN has another sign bit, which no dump tells.
    expect(await tableOf(`CREATE TYPE other AS ENUM ('x'); ${kinds} 'ä', 'infinity'::float8 - 'infinity'::float8)`, hashing)).toEqual(one);
    expect((await tableOf(`${kinds} 'Ä', 'NaN')`, hashing))?.hash).not.toBe(one?.hash);
  });

  test('counts the rows of a table without columns', async () => {
    expect(await tableOf('CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES', hashing)).toMatchObject({
      rows: 2,
    });
  });
});

describe('a set of version 2, whose rows are hashed by their text', () => {
  beforeEach(({ skip }) => skip(missingClient !== undefined, missingClient));

  test('is verified, and found out when a row differs', async () => {
    const deps = await openShop();
    const { path } = await takeBackup(deps);
    const manifest = await readManifest(path);
    const fingerprint = await withSession(deps.postgres, undefined, async ({ client }) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return takeFingerprint(client, 'text');
    });
    expect(fingerprint.hashing).toBeUndefined();
    await writeManifest(path, { ...manifest, fingerprint });
    expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: true });
    const logs = { ...fingerprint.tables['public.logs_2026'], hash: '1' } as { rows: number; hash: string };
    await writeManifest(path, {
      ...manifest,
      fingerprint: { ...fingerprint, tables: { ...fingerprint.tables, 'public.logs_2026': logs } },
    });
    expect((await verifyBackup(deps, 'latest')).reasons).toEqual(['public.logs_2026: the restored content differs (1000 rows)']);
  });
});
