import { expect } from 'vitest';
import type { Declared } from '#loadtest/conformance/exchange.ts';
import { startOwnRedis } from '#loadtest/conformance/own-redis.ts';
import type { Conformance } from '#loadtest/conformance/report.ts';
import { testTarget, type TestedTarget } from '#loadtest/conformance/test-target.ts';
import { test } from '#test/integration/api/processes/running-api.ts';
import { hasRedis } from '#test/support/redis.ts';

const limits = { RATE_LIMIT_CALLS: '20', RATE_LIMIT_PERIOD: '2', TRUSTED_PROXIES: '127.0.0.1', API_WORKERS: '2' };
const declared: Declared = { limit: 20, periodMs: 2_000, windows: 'sliding', identity: 'ip', method: 'GET', path: '/products?limit=1' };

const play = (target: Pick<TestedTarget, 'origin' | 'store'>): Promise<Conformance> =>
  testTarget(
    { name: 'the shop', declared, trustedProxy: '127.0.0.1', ...target },
    { signal: AbortSignal.timeout(80_000), onStage: () => {}, obedientRequests: 200 },
  );

const withOutcome = ({ judged }: Conformance, outcome: string): string[] =>
  judged.flatMap(({ check, finding }) => (finding.outcome === outcome ? [`${check.id}: ${finding.says}`] : []));

/** What was not proved for another reason than a late client: a busy machine may keep something from being proved, never break it. */
const notProved = ({ judged }: Conformance): string[] =>
  judged.flatMap(({ check, finding }) => (finding.outcome === 'INVALID' && !finding.isLate ? [`${check.id}: ${finding.says}`] : []));

test(
  'the shop, counted in its primary process, breaks no clause, and obedient clients are never refused',
  { timeout: 120_000 },
  async ({ start }) => {
    const api = await start(limits);
    const result = await play({ origin: api.url });
    expect(withOutcome(result, 'FAIL')).toEqual([]);
    expect(notProved(result)).toEqual([]);
    expect(withOutcome(result, 'NOT SUPPORTED')).toEqual([]);
    expect(withOutcome(result, 'PASS')).toContainEqual(expect.stringMatching(/^obedient-never-refused: 20[0-9] requests, none refused/));
  },
);

test.skipIf(!hasRedis)(
  'the shop, counted in Redis, breaks no clause while Redis is frozen, killed and back',
  { timeout: 120_000 },
  async ({ start }) => {
    const redis = await startOwnRedis();
    try {
      const api = await start({ ...limits, REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) });
      const result = await play({ origin: api.url, store: redis });
      expect(withOutcome(result, 'FAIL')).toEqual([]);
      expect(withOutcome(result, 'PASS')).toEqual(
        expect.arrayContaining(
          ['store-frozen-answers', 'store-killed-limits', 'store-back-exact'].map((id) => expect.stringContaining(id) as string),
        ),
      );
    } finally {
      await redis.stop();
    }
  },
);
