import { describe, expect, test } from 'vitest';
import { clientOptions, explainConnectionError, failureOf, libpqEnvironment, sqlStateOf } from '#lib/postgres.ts';

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
    [{ code: 'EPIPE' }, undefined],
    [{ code: 23_505 }, undefined],
    [new Error('x'), undefined],
    [undefined, undefined],
    [null, undefined],
  ])('of %o is %s', (thrown, state) => {
    expect(sqlStateOf(thrown)).toBe(state);
  });
});

const failing = (message: string, members: object = {}): Error => Object.assign(new Error(message), members);

describe('failureOf', () => {
  test.each([
    ['refused connection', failing('connect', { code: 'ECONNREFUSED' }), 'unreachable'],
    ['broken pipe, whose code looks like a SQLSTATE', failing('write', { code: 'EPIPE' }), 'unreachable'],
    ['every address refused', new AggregateError([failing('connect', { code: 'ECONNREFUSED' })]), 'unreachable'],
    ['connection lost', failing('Connection terminated unexpectedly'), 'unreachable'],
    ['connection lost, as knex says it', failing('select 1 from "clients" - Connection terminated unexpectedly'), 'unreachable'],
    ['connection lost earlier', failing('Client has encountered a connection error and is not queryable'), 'unreachable'],
    ['connection not made in time', failing('timeout expired'), 'unreachable'],
    ['answer not given in time', failing('Query read timeout'), 'unreachable'],
    ['connection exception', failing('x', { code: '08006' }), 'unreachable'],
    ['pool of pg', failing('timeout exceeded when trying to connect'), 'pool-timeout'],
    ['pool of knex', failing('Knex: Timeout acquiring a connection. The pool is probably full.'), 'pool-timeout'],
    ['shutdown', failing('x', { code: '57P01' }), 'refused-for-now'],
    ['start', failing('x', { code: '57P03' }), 'refused-for-now'],
    ['full disk', failing('x', { code: '53100' }), 'refused-for-now'],
    ['no connection left', failing('x', { code: '53300' }), 'too-many-connections'],
    ['wrong password', failing('x', { code: '28P01' }), 'credentials'],
    ['refused by pg_hba', failing('x', { code: '28000' }), 'credentials'],
    ['no database', failing('x', { code: '3D000' }), 'no-database'],
    ['no privilege', failing('x', { code: '42501' }), 'no-permission'],
    ['no table', failing('x', { code: '42P01' }), 'not-migrated'],
    ['no column', failing('x', { code: '42703' }), 'not-migrated'],
    ['time limit', failing('x', { code: '57014' }), 'too-slow'],
    ['lock', failing('x', { code: '55P03' }), 'too-slow'],
    ['deadlock', failing('x', { code: '40P01' }), 'conflict'],
    ['serialization', failing('x', { code: '40001' }), 'conflict'],
    ['standby', failing('x', { code: '25006' }), 'read-only'],
    ['number out of range', failing('x', { code: '22003' }), 'bad-value'],
    ['what Objection wraps', { nativeError: failing('x', { code: '40001' }) }, 'conflict'],
  ])('%s', (_, thrown, kind) => {
    expect(failureOf(thrown)?.kind).toBe(kind);
  });

  test('names the violated constraint and the state', () => {
    expect(failureOf({ nativeError: { code: '23505', constraint: 'clients_email_key' } })).toEqual({
      kind: 'constraint',
      sqlState: '23505',
      constraint: 'clients_email_key',
    });
  });

  test.each([
    [undefined],
    [null],
    ['text'],
    [new Error('x')],
    [failing('syntax', { code: '42601' })],
    [failing('x', { code: 'EPERM' })],
    [7],
  ])('knows nothing of %o', (thrown) => {
    expect(failureOf(thrown)).toBeUndefined();
  });
});

describe('explainConnectionError', () => {
  test.each([
    ['28P01', 'CONFIG_INVALID', 'PostgreSQL at db:5433 refuses user ana: check POSTGRES_USER and POSTGRES_PASSWORD'],
    ['3D000', 'CONFIG_INVALID', 'PostgreSQL at db:5433 has no database shop: create it or set POSTGRES_DB'],
    ['42P01', 'CONFIG_INVALID', 'database shop lacks tables of this version: run npm run migrate -- up'],
    ['53300', 'TARGET_UNREACHABLE', 'PostgreSQL at db:5433 accepts no connection now: why'],
    ['57P03', 'TARGET_UNREACHABLE', 'PostgreSQL at db:5433 accepts no connection now: why'],
    ['ECONNREFUSED', 'TARGET_UNREACHABLE', 'PostgreSQL at db:5433 cannot be reached: why; check POSTGRES_HOST and POSTGRES_PORT'],
  ])('says of %s what to mend', (code, kind, message) => {
    const cause = failing('why', { code });
    expect(explainConnectionError(cause, settings)).toMatchObject({ code: kind, message, cause });
  });

  test('leaves what is no matter of the connection as it is', () => {
    const errors = [failing('x', { code: '23505' }), failing('x', { code: '42601' }), new TypeError('x'), undefined];
    expect(errors.map((err) => explainConnectionError(err, settings))).toEqual(errors);
  });
});
