import { expect, test } from 'vitest';
import { createExpiringCache } from '#api/auth/expiring-cache.ts';

test('a value is remembered until its time is over', () => {
  let now = 0;
  const cache = createExpiringCache<string>({ capacity: 10, ttlMs: 100, now: () => now });
  cache.set('a', 'A');
  now = 99;
  expect(cache.get('a')).toBe('A');
  now = 100;
  expect(cache.get('a')).toBeUndefined();
});

test('when it is full, what was not used for longest makes room', () => {
  const cache = createExpiringCache<number>({ capacity: 2, ttlMs: 100, now: () => 0 });
  cache.set('a', 1);
  cache.set('b', 2);
  cache.get('a');
  cache.set('c', 3);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
});

test('reading a value does not make it live longer; setting it again does', () => {
  let now = 0;
  const cache = createExpiringCache<number>({ capacity: 2, ttlMs: 100, now: () => now });
  cache.set('a', 1);
  now = 60;
  cache.get('a');
  now = 101;
  expect(cache.get('a')).toBeUndefined();
  cache.set('a', 2);
  now = 200;
  expect(cache.get('a')).toBe(2);
  cache.delete('a');
  expect(cache.get('a')).toBeUndefined();
});
