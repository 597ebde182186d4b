import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { ApiError } from '#api/errors.ts';
import { accessDecision } from '#api/http/authorize.ts';
import { isUnchanged, versionsFromIfMatch } from '#api/http/etag.ts';
import { canonicalPath, createRouteTable } from '#api/http/match-route.ts';
import { depthOf } from '#api/http/read-body.ts';
import { readQuery, refuseQuery, withoutOwnId } from '#api/http/read-request.ts';
import { requestIdFrom } from '#api/http/exchange.ts';
import { read, write, type Route } from '#api/http/route.ts';
import { validateInput } from '#api/http/validate.ts';
import { nothing } from '#api/http/view.ts';

const caught = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (err) {
    return err;
  }
};

describe('request ids', () => {
  test.each(['abc', 'A-1._b', 'x'.repeat(64)])('%s is taken over', (id) => {
    expect(requestIdFrom(id)).toBe(id);
  });

  test.each([undefined, '', 'a b', 'x'.repeat(65), 'a\nb', '<script>', ['a', 'b']])('%j is replaced by a UUID', (id) => {
    expect(requestIdFrom(id)).toMatch(/^[0-9a-f-]{36}$/);
  });
});

const done = { access: 'public', summary: '', answers: { 204: nothing }, handler: () => Promise.resolve() } as const;
const make = (method: 'GET' | 'PUT', path: string): Route =>
  method === 'GET' ? read({ ...done, path }) : write({ ...done, method, path, write: 'plainly' });

describe('paths', () => {
  test.each([
    ['/api/v1/products/5', '/products/5'],
    ['/products/5/', '/products/5'],
    ['/products/id/5', '/products/5'],
    ['/api/v1/products/id/5/', '/products/5'],
    ['/orders/id/5/cancel', '/orders/5/cancel'],
    ['/products/filter/', '/products/filter'],
    ['/products/id', '/products/id'],
    ['/', '/'],
  ])('%s is %s', (path, canonical) => {
    expect(canonicalPath(path)).toBe(canonical);
  });

  const table = createRouteTable([make('GET', '/products/:id'), make('PUT', '/products/:id'), make('GET', '/products/filter')]);

  test('the more exact route wins, whatever the order', () => {
    expect(table.match('GET', '/products/filter')?.route?.path).toBe('/products/filter');
    expect(table.match('GET', '/products/7')).toMatchObject({ route: { path: '/products/:id' }, params: { id: '7' } });
  });

  test('a known path with another method says which it takes', () => {
    expect(table.match('DELETE', '/products/7')).toEqual({ route: undefined, allowed: 'HEAD, GET, PUT, PATCH, OPTIONS' });
    expect(table.match('GET', '/nothing')).toBeUndefined();
  });

  test('a path of its own is not the id of another, even for a method that only the other takes', () => {
    expect(table.match('PUT', '/products/filter')).toEqual({ route: undefined, allowed: 'HEAD, GET, OPTIONS' });
  });

  test('two routes of one name are a mistake', () => {
    expect(() => createRouteTable([make('GET', '/a'), make('GET', '/a')])).toThrow('GET /a is defined twice');
    expect(() => createRouteTable([make('GET', '/:a')])).toThrow('GET /:a begins with a parameter');
  });
});

describe('conditions', () => {
  test.each([
    [undefined, undefined],
    ['*', undefined],
    ['"12-0a1b2c3d"', [12]],
    [' "3" ', [3]],
    // What nginx makes of a strong tag when it compresses.
    ['W/"3-0a1b2c3d"', [3]],
    ['"1-0a1b2c3d", W/"2-0a1b2c3d"', [1, 2]],
    ['"other", "4"', [4]],
  ])('If-Match %s allows the versions %j', (header, versions) => {
    expect(versionsFromIfMatch(header)).toEqual(versions);
  });

  test.each(['3', '"abc"', '"3-xyz"', 'W/3', ''])('If-Match %s matches no version', (header) => {
    expect(() => versionsFromIfMatch(header)).toThrow('must name an entity tag');
  });

  test('If-None-Match compares weakly and takes lists', () => {
    expect(isUnchanged('W/"3-a", "4-a"', '"3-a"')).toBe(true);
    expect(isUnchanged('*', '"3-a"')).toBe(true);
    expect(isUnchanged('"4-a"', '"3-a"')).toBe(false);
    expect(isUnchanged('"3-b"', '"3-a"')).toBe(false);
    expect(isUnchanged('"4-a"', undefined)).toBe(false);
    expect([isUnchanged('W/"list"', 'W/"list"'), isUnchanged('"list"', 'W/"list"'), isUnchanged('W/"other"', 'W/"list"')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('bodies and queries', () => {
  test('depth is counted outside of texts only', () => {
    expect(depthOf('{"a":[{"b":"[[[[{{"}]}')).toBe(3);
    expect(depthOf(String.raw`{"a\"[[[":"\\"}`)).toBe(1);
    expect(depthOf('['.repeat(100_000))).toBe(100_000);
    expect(depthOf('"unclosed [')).toBe(0);
  });

  test('depth agrees with a recursive count for any JSON', () => {
    const depth = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(depthOf(JSON.stringify(value))).toBe(depth(value));
      }),
    );
  });

  const schema = z.strictObject({ 'a/b': z.number(), lines: z.array(z.strictObject({ quantity: z.int().positive() })) });

  test('faults are named by JSON pointers, all at once', () => {
    const err = caught(() =>
      validateInput(schema, { 'a/b': 'x', lines: [{ quantity: -1 }, { quantity: 1, colour: 1 }], 'c~d': 1 }, 'body'),
    );
    expect(err).toBeInstanceOf(ApiError);
    expect((err as ApiError).errors.map(({ pointer }) => pointer).toSorted()).toEqual([
      '/a~1b',
      '/c~0d',
      '/lines/0/quantity',
      '/lines/1/colour',
    ]);
  });

  test('a member named __proto__ is refused like any other unknown one', () => {
    const err = caught(() => validateInput(schema, JSON.parse('{"a/b":1,"lines":[],"__proto__":{"x":1}}'), 'body'));
    expect((err as ApiError).errors).toEqual([{ pointer: '/__proto__', message: 'is not known here' }]);
  });

  test('a missing member is required, and no message repeats a value', () => {
    const err = caught(() => validateInput(schema, { 'a/b': 'my secret' }, 'body')) as ApiError;
    expect(err.errors).toContainEqual({ pointer: '/lines', message: 'is required' });
    expect(JSON.stringify(err.errors)).not.toContain('my secret');
  });

  test('a query names each parameter once and holds no NUL', () => {
    expect(readQuery('skip=1&search=a%20b')).toEqual({ skip: '1', search: 'a b' });
    expect((caught(() => readQuery('skip=1&skip=2')) as ApiError).errors[0]?.pointer).toBe('skip');
    expect(caught(() => readQuery('search=%00'))).toBeInstanceOf(ApiError);
    expect((caught(() => refuseQuery('debug=1')) as ApiError).errors[0]?.pointer).toBe('debug');
  });
});

describe('the id of what is changed', () => {
  const change = { method: 'PUT' } as const;

  test('may come back with the change, as number or text', () => {
    expect(withoutOwnId(change, { id_key: 7, name: 'x' }, { id: 7 })).toEqual({ name: 'x' });
    expect(withoutOwnId(change, { id_key: '7' }, { id: 7 })).toEqual({});
    expect(withoutOwnId(change, { name: 'x' }, { id: 7 })).toEqual({ name: 'x' });
  });

  test('that is another than the path says is refused', () => {
    for (const id_key of [8, '8', null, 7.5, [7], { id: 7 }]) {
      const err = caught(() => withoutOwnId(change, { id_key }, { id: 7 })) as ApiError;
      expect([err.code, err.errors]).toEqual(['validation_failed', [{ pointer: '/id_key', message: 'is not the id in the path' }]]);
    }
  });

  test('is the client’s to give nowhere else', () => {
    expect(withoutOwnId({ method: 'POST' }, { id_key: 7 }, { id: 7 })).toEqual({ id_key: 7 });
  });
});

describe('who may pass', () => {
  test('only those a route names', () => {
    const operator = { kind: 'operator', keyId: 1, name: 'o' } as const;
    expect(accessDecision('public', { kind: 'anonymous' })).toBe('allowed');
    expect(accessDecision(['operator'], { kind: 'anonymous' })).toBe('unauthenticated');
    expect(accessDecision(['customer'], operator)).toBe('forbidden');
    expect(accessDecision(['customer', 'operator'], operator)).toBe('allowed');
    expect(accessDecision([], operator)).toBe('forbidden');
  });

  test('is to look at everything and change nothing for an operator’s key that only reads', () => {
    const auditor = { kind: 'operator', keyId: 1, name: 'x', isReadOnly: true } as const;
    expect(accessDecision(['operator'], auditor, 'nothing')).toBe('allowed');
    for (const does of ['plainly', 'once'] as const) {
      expect(accessDecision(['operator'], auditor, does)).toBe('forbidden');
      expect(accessDecision('public', auditor, does)).toBe('forbidden');
    }
  });
});
