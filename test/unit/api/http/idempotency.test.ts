import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClaims, parseIdempotencyKey } from '#api/http/idempotency.ts';

describe('idempotency', () => {
  test.each([
    ['abc-123', 'abc-123'],
    ['"abc-123"', 'abc-123'],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ['x'.repeat(255), 'x'.repeat(255)],
  ])('the key %s is %s', (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  test.each(['', '""', 'a b', 'x'.repeat(256), 'ü'])('%s is no key', (header) => {
    expect(() => parseIdempotencyKey(header)).toThrow('1 to 255 visible ASCII');
  });

  const claimOf = createClaims({ secret: 'a secret of the server', isRequired: false });
  const once = { method: 'POST', write: 'once', secrets: [] } as const;
  const asked = { route: once, path: '/orders', principal: { kind: 'anonymous' }, address: '192.0.2.1', header: 'k' } as const;
  const fingerprintOf = (rawBody: unknown, other: object = {}): string | undefined => claimOf({ ...asked, rawBody, ...other })?.fingerprint;

  const ofWhom = (other: object): string | undefined => claimOf({ ...asked, rawBody: {}, ...other })?.principal;

  test('the order of members does not matter, nor the name of the path; anything else does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (body) => {
        const reversed = Object.fromEntries(Object.entries(body).toReversed());
        expect(fingerprintOf(reversed)).toBe(fingerprintOf(body));
        expect(fingerprintOf({ ...body, [`${Object.keys(body).join('')}x`]: 1 })).not.toBe(fingerprintOf(body));
      }),
    );
    expect(fingerprintOf([1, 2])).not.toBe(fingerprintOf([2, 1]));
    expect(fingerprintOf({}, { path: '/bills' })).not.toBe(fingerprintOf({}));
    expect(fingerprintOf({}, { path: '/api/v1/orders/' })).toBe(fingerprintOf({}));
  });

  test('nothing kept of a request can be guessed at without the key of the server', () => {
    const body = { email: 'ada@example.com', password: 'one of the usual ones' };
    const plain = createHash('sha256')
      .update(`POST /orders\n${JSON.stringify(body)}`)
      .digest('hex');
    const other = createClaims({ secret: 'another secret', isRequired: false });
    expect(fingerprintOf(body)).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprintOf(body)).not.toBe(plain);
    expect(other({ ...asked, rawBody: body })?.fingerprint).not.toBe(fingerprintOf(body));
  });

  test('a member that is a secret leaves no trace at all', () => {
    const route = { ...once, secrets: ['password'] };
    expect(fingerprintOf({ email: 'a', password: 'b' }, { route })).toBe(fingerprintOf({ email: 'a' }, { route }));
    expect(fingerprintOf({ email: 'c', password: 'b' }, { route })).not.toBe(fingerprintOf({ email: 'a' }, { route }));
  });

  test('a key belongs to who sent it: a principal, or else an address, which is kept only as a digest', () => {
    expect(ofWhom({ principal: { kind: 'customer', clientId: 7, quota: 'standard' } })).toBe('client:7');
    expect(ofWhom({})).toBe(ofWhom({ address: '192.0.2.1' }));
    expect(ofWhom({})).not.toBe(ofWhom({ address: '192.0.2.2' }));
    expect(ofWhom({ address: '2001:db8::1' })).toBe(ofWhom({ address: '2001:db8::2' }));
    expect(ofWhom({})).not.toContain('192.0.2');
  });

  test('a route that is not written once takes no key, and demands none', () => {
    const strict = createClaims({ secret: 's', isRequired: true });
    expect(strict({ ...asked, route: { ...once, write: 'nothing' }, rawBody: {}, header: undefined })).toBeUndefined();
    expect(() => strict({ ...asked, rawBody: {}, header: undefined })).toThrow('is required');
  });
});
