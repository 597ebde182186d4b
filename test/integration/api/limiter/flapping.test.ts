import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { createRedisLimiter } from '#api/limiter/redis-limiter.ts';
import { playFlapping, type Fault } from '#test/flapping/campaign.ts';
import { total } from '#test/flapping/judge.ts';
import { call } from '#test/support/api-process.ts';
import { hasRedis, startRedis } from '#test/support/redis.ts';
import { test } from '../processes/running-api.ts';

const window = { limit: 20, periodMs: 3_000 };

/** The short form of the campaign: `npm run flapping` is the long one. */
test.skipIf(!hasRedis).for(['frozen', 'killed'] satisfies Fault[])(
  'while Redis is %s every other second, no window holds more than the limit, and nobody gets less or an error',
  { timeout: 60_000 },
  async (fault, { start }) => {
    const redis = await startRedis();
    try {
      const limits = { RATE_LIMIT_CALLS: `${window.limit}`, RATE_LIMIT_PERIOD: `${window.periodMs / 1_000}`, TRUSTED_PROXIES: '127.0.0.1' };
      const inRedis = { REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: `${redis.port}` };
      const api = await start({ ...limits, ...inRedis, API_WORKERS: '4' });
      expect((await call(`${api.url}/health_check`)).body).toMatchObject({ limiter: { store: 'redis' } });
      const { greedy, modest, faults } = await playFlapping({ url: api.url, redis, fault, flapMs: 1_000, forMs: 10_000, window });
      expect(faults).toBeGreaterThan(3);
      const [all, least] = [total([...greedy, ...modest]), total(greedy)];
      expect(all).toMatchObject({ over: 0, failed: 0 });
      expect(least.under).toBeLessThanOrEqual(0.01);
      expect(modest.map(({ asked, admitted }) => asked - admitted)).toEqual([0, 0, 0]);
    } finally {
      await redis.stop();
    }
  },
);

test.skipIf(!hasRedis)('what a frozen Redis counts only when it thaws, after it was decided elsewhere, is taken out again', async () => {
  const redis = await startRedis();
  const client = new Redis({ port: redis.port, host: '127.0.0.1', replyMapping: 'legacy' });
  const witness = new Redis({ port: redis.port, host: '127.0.0.1' });
  try {
    const limiter = createRedisLimiter(client, 80);
    const quotas = [
      { key: 'default:ip', limit: 5, periodMs: 60_000 },
      { key: 'login:ip', limit: 5, periodMs: 60_000 },
    ];
    await limiter.take(quotas);
    redis.freeze();
    const late = await Promise.allSettled([limiter.take(quotas), limiter.take(quotas)]);
    expect(late.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    redis.thaw();
    // Counted first, then taken out: the third command of the connection comes behind both.
    await limiter.take([{ key: 'another', limit: 1, periodMs: 1_000 }]);
    await expect.poll(() => Promise.all(quotas.map(({ key }) => witness.zcard(`atalaya:limit:${key}`)))).toEqual([1, 1]);
    expect(await limiter.take(quotas)).toMatchObject([{ remaining: 3 }, { remaining: 3 }]);
  } finally {
    for (const one of [client, witness]) one.disconnect();
    await redis.stop();
  }
});
