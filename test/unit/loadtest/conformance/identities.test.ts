import { isIPv4 } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createIdentities, parseIdentity, type IdentityOptions } from '#loadtest/conformance/identities.ts';

const options: IdentityOptions = { identity: 'ip', host: '127.0.0.1', tokens: [], run: 7, platform: 'linux' };

describe('clients told apart by address', () => {
  test('have addresses of this machine, all different, and never its usual one', () => {
    fc.assert(
      fc.property(fc.nat(65_535), fc.nat(400), fc.nat(400), (run, one, other) => {
        const identities = createIdentities({ ...options, run });
        const [a, b] = [identities.at(one).localAddress ?? '', identities.at(other).localAddress ?? ''];
        expect(a).toMatch(/^127\.(?:[1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-4])\./);
        expect([isIPv4(a), a === b]).toEqual([true, one === other]);
      }),
    );
  });

  test.each([
    ['another host', { host: '192.0.2.1' }],
    ['another system, which has 127.0.0.1 alone', { platform: 'darwin' }],
  ] as const)('are one on %s', (_, changed) => {
    const identities = createIdentities({ ...options, ...changed });
    expect([identities.count, identities.at(0)]).toEqual([1, { headers: {}, localAddress: undefined }]);
  });
});

test('clients told apart by a field have values of their own, addresses where the field holds addresses', () => {
  const keyed = createIdentities({ ...options, identity: 'header:X-Client' });
  expect(keyed.at(3).headers).toEqual({ 'X-Client': 'conformance-7-3' });
  const forwarded = createIdentities({ ...options, identity: 'header:X-Forwarded-For' });
  expect(isIPv4(forwarded.at(300).headers['X-Forwarded-For'] ?? '')).toBe(true);
  expect(forwarded.at(1).headers).not.toEqual(forwarded.at(2).headers);
});

test('clients told apart by tokens are as many as there are tokens, and none is refused', () => {
  const identities = createIdentities({ ...options, identity: 'token', tokens: ['a', 'b'] });
  expect([identities.count, identities.at(1).headers]).toEqual([2, { Authorization: 'Bearer b' }]);
  expect(() => createIdentities({ ...options, identity: 'token' })).toThrow('--tokens FILE is missing');
});

test('--identity is ip, token or the name of a field', () => {
  expect(['ip', 'token', 'header:X-API-Key'].map(parseIdentity)).toEqual(['ip', 'token', 'header:X-API-Key']);
  for (const wrong of ['', 'cookie', 'header:', 'header:a b', 'header:a\r\nb']) expect(() => parseIdentity(wrong)).toThrow('--identity');
});
