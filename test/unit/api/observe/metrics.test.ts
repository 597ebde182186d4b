import { expect, test } from 'vitest';
import { isLoadTest, type Principal } from '#api/auth/principal.ts';
import { createMetrics } from '#api/observe/metrics.ts';

test('what a load test was answered is a series of its own, and what anybody else was has no such label', async () => {
  const metrics = createMetrics();
  metrics.request('GET', '/api/v1/products', 200, 0.01, false);
  metrics.request('GET', '/api/v1/products', 503, 0.01, true);
  const counts = (await metrics.registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('atalaya_http_request_duration_seconds_count'));
  expect(counts).toHaveLength(2);
  expect(counts.find((line) => line.includes('status="200"'))).not.toContain('load=');
  expect(counts.find((line) => line.includes('status="503"'))).toContain('load="test"');
});

test.each<[Principal, boolean]>([
  [{ kind: 'anonymous' }, false],
  [{ kind: 'customer', clientId: 1, quota: 'standard' }, false],
  [{ kind: 'operator', keyId: 1, name: 'ann' }, false],
  [{ kind: 'customer', clientId: 1, quota: 'loadtest' }, true],
  [{ kind: 'loadtest', keyId: 1, name: 'release' }, true],
])('%j is a load test: %s', (principal, expected) => {
  expect(isLoadTest(principal)).toBe(expected);
});
