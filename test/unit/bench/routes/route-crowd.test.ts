import { expect, test } from 'vitest';
import { compare, type Score } from '#bench/rounds.ts';
import { createCrowd, type RouteUser } from '#bench/routes/route-crowd.ts';
import { showRoutes } from '#bench/routes/run-routes.ts';

const score = (errors: number): Score => ({
  requestsPerSecond: 100,
  p50Ms: 1,
  p99Ms: 2,
  cpuMs: 1,
  requests: 100,
  residentBytes: null,
  errors,
});

const result = (route: string, errors: number) => ({
  route,
  statements: 1,
  comparison: compare([{ api: score(errors), floor: score(0) }]),
});

const asked = (path: string) => ({ method: 'POST', path, body: {}, number: 0 }) as const;

test('a user writes once under a key that no other request, route or user has', () => {
  const posts = ['POST /bills', 'POST /addresses'];
  const given: RouteUser = { accessToken: 't', requests: { 'POST /bills': asked('/bills'), 'POST /addresses': asked('/addresses') } };
  const keys = posts.flatMap((script) => {
    const crowd = createCrowd({ script, seed: 1, facts: 'run', record: () => {} });
    return [0, 1].map((index) => crowd.user(index, given)).flatMap((user) => [user.next(), user.next()]);
  });
  const names = keys.map(({ headers }) => headers['idempotency-key']);
  expect(new Set(names).size).toBe(8);
  for (const name of names) expect(name).toMatch(/^[\x21-\x7e]{1,255}$/);
});

test('a route of which part was refused is named as no comparison', () => {
  expect(showRoutes([result('POST /bills', 0), result('POST /addresses', 3)])).toMatch(/answered well: POST \/addresses\.$/);
  expect(showRoutes([result('POST /bills', 0)])).not.toContain('answered well');
});
