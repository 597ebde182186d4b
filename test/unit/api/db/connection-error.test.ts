import { expect, test } from 'vitest';
import { explainConnectionError } from '#api/db/connection-error.ts';

const settings = { POSTGRES_HOST: 'db', POSTGRES_PORT: 5432, POSTGRES_DB: 'shop', POSTGRES_USER: 'ann', POSTGRES_PASSWORD: 'secret-word' };
const withCode = (code: string): Error => Object.assign(new Error('of the driver'), { code });

test.each([
  ['28P01', 'CONFIG_INVALID', 'POSTGRES_PASSWORD'],
  ['3D000', 'CONFIG_INVALID', 'shop'],
  ['42P01', 'CONFIG_INVALID', 'npm run migrate'],
  ['53300', 'TARGET_UNREACHABLE', 'db:5432'],
  ['57P03', 'TARGET_UNREACHABLE', 'db:5432'],
  ['ECONNREFUSED', 'TARGET_UNREACHABLE', 'db:5432'],
  ['ENOTFOUND', 'TARGET_UNREACHABLE', 'db:5432'],
])('%s is %s and names %s, never the password', (code, expected, named) => {
  const explained = explainConnectionError(withCode(code), settings) as Error;
  expect(explained).toMatchObject({ code: expected, message: expect.stringContaining(named) as string });
  expect(explained.message).not.toContain('secret-word');
});

test('a server that refuses on every address of a name is unreachable', () => {
  const err = new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]);
  expect(explainConnectionError(err, settings)).toMatchObject({ code: 'TARGET_UNREACHABLE' });
});

test('any other error passes as it is', () => {
  const errors = [withCode('42601'), new Error('x'), null];
  expect(errors.map((err) => explainConnectionError(err, settings))).toEqual(errors);
});
