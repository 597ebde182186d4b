import { parseList } from 'structured-headers';
import { describe, expect, test } from 'vitest';
import { anonymous, type Principal } from '#api/auth/principal.ts';
import { bindingIndex, rateLimitHeaders } from '#api/http/rate-limit.ts';
import { createRatePolicy, quotasOf } from '#api/http/rate-policy.ts';
import { addressKey, clientAddress, createTrust, isAddressOrRange } from '#api/http/trusted-proxies.ts';

const policy = createRatePolicy({
  RATE_LIMIT_ENABLED: true,
  RATE_LIMIT_CALLS: 100,
  RATE_LIMIT_PERIOD: 60,
  RATE_LIMIT_LOADTEST_CALLS: 100_000,
});
const customer: Principal = { kind: 'customer', clientId: 7, quota: 'standard' };
const madeByLoadtest: Principal = { kind: 'customer', clientId: 8, quota: 'loadtest' };
const operator: Principal = { kind: 'operator', keyId: 1, name: 'o' };
const loadtest: Principal = { kind: 'loadtest', keyId: 2, name: 'l' };

describe('which limits hold', () => {
  test.each([
    [anonymous, 'default', 'ip:192.0.2.1', '"default";q=100;w=60'],
    [anonymous, 'login', 'ip:192.0.2.1', '"default";q=100;w=60, "login";q=5;w=60'],
    [customer, 'client_change', 'client:7', '"default";q=100;w=60, "client_change";q=20;w=900'],
    [anonymous, 'client_create', 'ip:192.0.2.1', '"default";q=100;w=60, "client_create";q=5;w=60'],
    [customer, 'order_create', 'client:7', '"default";q=100;w=60, "order_create";q=10;w=60'],
    [customer, 'search', 'client:7', '"default";q=100;w=60, "search";q=30;w=60'],
    [operator, 'order_create', 'key:1', '"operator";q=1000;w=60'],
    [loadtest, 'client_create', 'key:2', '"loadtest";q=100000;w=60'],
    [madeByLoadtest, 'order_create', 'client:8', '"loadtest";q=100000;w=60'],
  ] as const)('for %j on %s', (principal, limitClass, identity, header) => {
    const counted = policy.countedAs(principal, '192.0.2.1', limitClass);
    expect([counted.identity, counted.set.header]).toEqual([identity, header]);
  });

  test.each([anonymous, customer, madeByLoadtest, operator, loadtest])('%j logs in as its address', (principal) => {
    expect(policy.countedAs(principal, '192.0.2.1', 'login')).toEqual(policy.countedAs(anonymous, '192.0.2.1', 'login'));
  });

  test.each([customer, madeByLoadtest, operator])('%j registers others as its address', (principal) => {
    expect(policy.countedAs(principal, '192.0.2.1', 'client_create')).toEqual(policy.countedAs(anonymous, '192.0.2.1', 'client_create'));
  });

  test('a credential nobody knows yet is counted by its address, apart from what else the address asks', () => {
    const { set, identity } = policy.countedAs(undefined, '192.0.2.1', 'search');
    expect([set.header, identity]).toEqual(['"credential";q=100;w=60', 'ip:192.0.2.1']);
  });

  test('each limit has a key of its own', () => {
    const { set, identity } = policy.countedAs(customer, '192.0.2.1', 'search');
    expect(quotasOf(set, identity).map(({ key }) => key)).toEqual(['default:client:7', 'search:client:7']);
  });
});

describe('the headers', () => {
  const { set } = policy.countedAs(customer, '192.0.2.1', 'order_create');
  const left = { allowed: true, remaining: 41, retryAfterMs: 0, resetMs: 12_001 };
  const used = { allowed: false, remaining: 0, retryAfterMs: 2_000, resetMs: 900 };

  test('tell the limit that decides, and of each what is left', () => {
    const binding = bindingIndex([left, used]);
    expect(binding).toBe(1);
    const headers = rateLimitHeaders(set, [left, used], binding);
    const get = (name: string): string => headers[headers.indexOf(name) + 1] as string;
    expect([get('X-RateLimit-Limit'), get('X-RateLimit-Remaining'), get('X-RateLimit-Reset')]).toEqual(['10', '0', '2']);
    expect(get('RateLimit')).toBe('"default";r=41;t=13, "order_create";r=0;t=2');
  });

  test('are structured fields of RFC 9651', () => {
    const [policies, remaining] = [set.header, rateLimitHeaders(set, [left, used], 0).at(-1) as string].map((text) => parseList(text));
    expect(policies?.map(([name, parameters]) => [name, parameters.get('q'), parameters.get('w')])).toEqual([
      ['default', 100, 60],
      ['order_create', 10, 60],
    ]);
    expect(remaining?.map(([name, parameters]) => [name, parameters.get('r'), parameters.get('t')])).toEqual([
      ['default', 41, 13],
      ['order_create', 0, 2],
    ]);
  });

  test('name the limit with the least left, and of two used up the one that lasts longer', () => {
    const fewer = { ...left, remaining: 3 };
    expect(bindingIndex([left, fewer])).toBe(1);
    expect(bindingIndex([used, left])).toBe(0);
    expect(bindingIndex([used, { ...used, retryAfterMs: 50_000 }])).toBe(1);
  });
});

describe('where a request comes from', () => {
  const trust = createTrust(['10.0.0.0/8', '2001:db8::1']);

  test.each([
    ['an untrusted peer is not believed', '192.0.2.9', '1.2.3.4', '192.0.2.9'],
    ['a trusted peer is', '10.0.0.1', '192.0.2.9', '192.0.2.9'],
    ['what the client wrote before its own address is not', '10.0.0.1', '6.6.6.6, 192.0.2.9', '192.0.2.9'],
    ['hops between trusted proxies are passed', '10.0.0.1', '192.0.2.9, 10.9.9.9', '192.0.2.9'],
    ['a chain of trusted proxies alone ends at the farthest', '10.0.0.1', '10.0.0.7', '10.0.0.7'],
    ['nonsense ends the walk', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['an IPv4 peer of a dual-stack listener is that address', '::ffff:10.0.0.1', '192.0.2.9', '192.0.2.9'],
    ['no header, no walk', '2001:db8::1', undefined, '2001:db8::1'],
  ])('%s', (_, peer, header, address) => {
    expect(clientAddress(peer, header, trust)).toBe(address);
  });

  test.each([
    ['192.0.2.1', 'ip:192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', 'ip:2001:db8:1:2::/64'],
    ['2001:0db8:1:2:ffff::1', 'ip:2001:db8:1:2::/64'],
    ['2001:db8::1', 'ip:2001:db8:0:0::/64'],
    ['::1', 'ip:0:0:0:0::/64'],
    ['fe80::1%eth0', 'ip:fe80:0:0:0::/64'],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  test.each([
    ['10.0.0.0/8', true],
    ['::1', true],
    ['fd00::/8', true],
    ['10.0.0.0/33', false],
    ['10.0.0', false],
    ['example.com', false],
    ['10.0.0.0/8/8', false],
  ])('%s as a setting: %s', (text, isValid) => {
    expect(isAddressOrRange(text)).toBe(isValid);
  });
});
