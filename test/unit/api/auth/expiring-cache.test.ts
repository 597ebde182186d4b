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

test('those who ask at the same time share one load, and one that finds nothing is not remembered', async () => {
  const cache = createExpiringCache<number>({ capacity: 2, ttlMs: 100, now: () => 0 });
  let loads = 0;
  const load = async (): Promise<number | undefined> => {
    loads += 1;
    return loads === 1 ? undefined : loads;
  };
  expect(await Promise.all([cache.getOrLoad('a', load), cache.getOrLoad('a', load)])).toEqual([undefined, undefined]);
  expect(await Promise.all([cache.getOrLoad('a', load), cache.getOrLoad('a', load)])).toEqual([2, 2]);
  expect(await cache.getOrLoad('a', load)).toBe(2);
  expect(loads).toBe(2);
});

const fail = (): Promise<number> => Promise.reject(new Error('no database'));

test('a load that fails fails for all who share it, and the next one tries again', async () => {
  const cache = createExpiringCache<number>({ capacity: 2, ttlMs: 100, now: () => 0 });
  const outcomes = await Promise.allSettled([cache.getOrLoad('a', fail), cache.getOrLoad('a', fail)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await cache.getOrLoad('a', async () => 1)).toBe(1);
});

test('what is forgotten while it is being loaded is not remembered', async () => {
  const cache = createExpiringCache<string>({ capacity: 2, ttlMs: 100, now: () => 0 });
  const old = cache.getOrLoad('a', async () => 'old');
  cache.delete('a');
  expect(await old).toBe('old');
  expect(await cache.getOrLoad('a', async () => 'new')).toBe('new');
});
