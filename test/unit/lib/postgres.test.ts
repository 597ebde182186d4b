import { describe, expect, test } from 'vitest';
import { clientOptions, libpqEnvironment, sqlStateOf } from '#lib/postgres.ts';

const settings = { POSTGRES_HOST: 'db', POSTGRES_PORT: 5433, POSTGRES_DB: 'shop', POSTGRES_USER: 'ana', POSTGRES_PASSWORD: 'pw' };

test('a client and the tools of PostgreSQL are led to the same database', () => {
  expect(clientOptions(settings, 'atalaya-api')).toMatchObject({ host: 'db', port: 5433, database: 'shop', user: 'ana', password: 'pw' });
  expect(libpqEnvironment(settings, 'atalaya-api')).toMatchObject({
    PGHOST: 'db',
    PGPORT: '5433',
    PGDATABASE: 'shop',
    PGUSER: 'ana',
    PGPASSWORD: 'pw',
    PGAPPNAME: 'atalaya-api',
  });
});

test('without a password none is set, so that the ways libpq has of finding one still work', () => {
  const { POSTGRES_PASSWORD: _, ...open } = settings;
  expect(clientOptions(open, 'x')).not.toHaveProperty('password');
  expect(libpqEnvironment(open, 'x')).not.toHaveProperty('PGPASSWORD');
});

describe('sqlStateOf', () => {
  test.each([
    [{ code: '23505' }, '23505'],
    [{ code: 'ECONNREFUSED' }, undefined],
    [{ code: 23_505 }, undefined],
    [new Error('x'), undefined],
    [undefined, undefined],
    [null, undefined],
  ])('of %o is %s', (thrown, state) => {
    expect(sqlStateOf(thrown)).toBe(state);
  });
});
