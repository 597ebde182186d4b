import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { createBatchingLimiter, type FlatVerdicts, type Take } from './batch-takes.ts';
import type { Limiter } from './limiter.ts';

/**
 * Counts a batch of takes, one after the other. Each key is a sorted set of the requests in its window, scored by Redis'
 * own clock in microseconds, so that workers with wrong clocks agree. Members are unique whatever the time: two requests
 * in the same microsecond would else be counted as one.
 *
 * KEYS: the keys of all quotas. ARGV: member prefix, number of takes, then for each take its number of quotas and for
 * each of these limit and period in microseconds. Returns FlatVerdicts, rounded up to milliseconds.
 */
const takeScript = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local verdicts = {}
local key, arg = 1, 3
for take = 1, tonumber(ARGV[2]) do
  local quotas = tonumber(ARGV[arg])
  local counts, allowed = {}, true
  for q = 1, quotas do
    local limit, period = tonumber(ARGV[arg + 2 * q - 1]), tonumber(ARGV[arg + 2 * q])
    redis.call('ZREMRANGEBYSCORE', KEYS[key + q - 1], '-inf', now - period)
    counts[q] = redis.call('ZCARD', KEYS[key + q - 1])
    if counts[q] >= limit then allowed = false end
  end
  for q = 1, quotas do
    local name = KEYS[key + q - 1]
    local limit, period = tonumber(ARGV[arg + 2 * q - 1]), tonumber(ARGV[arg + 2 * q])
    if allowed then
      redis.call('ZADD', name, now, ARGV[1] .. take)
      redis.call('PEXPIRE', name, math.ceil(period / 1000) + 1000)
      counts[q] = counts[q] + 1
    end
    local function until_leaves(index)
      local score = redis.call('ZRANGE', name, index, index, 'WITHSCORES')[2]
      return math.max(1, math.ceil((tonumber(score) + period - now) / 1000))
    end
    local reset = counts[q] == 0 and 0 or until_leaves(0)
    local remaining = math.max(0, limit - counts[q])
    local retry = 0
    if remaining == 0 then
      if allowed then retry = reset
      elseif limit == 0 then retry = math.ceil(period / 1000)
      else retry = until_leaves(counts[q] - limit) end
    end
    verdicts[#verdicts + 1] = (allowed or remaining > 0) and 1 or 0
    verdicts[#verdicts + 1] = remaining
    verdicts[#verdicts + 1] = retry
    verdicts[#verdicts + 1] = reset
  end
  key = key + quotas
  arg = arg + 1 + 2 * quotas
end
return verdicts
`;

type WithTake = Redis & { takeQuotas: (...args: (string | number)[]) => Promise<FlatVerdicts> };

/**
 * Counts in Redis: exact over all workers of all machines that share it.
 * @param redis a client that refuses commands at once while it is not connected
 */
export function createRedisLimiter(redis: Redis, timeoutMs: number): Limiter {
  redis.defineCommand('takeQuotas', { lua: takeScript });
  const processId = randomBytes(6).toString('base64url');
  let batches = 0;
  return createBatchingLimiter({
    send: async (takes, isAwaited) => {
      batches += 1;
      const memberPrefix = `${processId}:${batches}:`;
      const verdicts = await (redis as WithTake).takeQuotas(...scriptArguments(takes, memberPrefix));
      // A Redis that was frozen counts when it thaws what has been decided without it long ago.
      if (!isAwaited()) await takeBack(redis, takes, memberPrefix);
      return verdicts;
    },
    timeoutMs,
    // Redis serves nothing else while the script runs.
    maxPending: 2_000,
  });
}

async function takeBack(redis: Redis, takes: readonly Take[], memberPrefix: string): Promise<void> {
  const commands = takes.flatMap((quotas, index) => quotas.map(({ key }) => ['zrem', redisKey(key), `${memberPrefix}${index + 1}`]));
  await redis.pipeline(commands).exec();
}

const redisKey = (key: string): string => `atalaya:limit:${key}`;

function scriptArguments(takes: readonly Take[], memberPrefix: string): (string | number)[] {
  const keys = takes.flatMap((quotas) => quotas.map(({ key }) => redisKey(key)));
  const limits = takes.flatMap((quotas) => [quotas.length, ...quotas.flatMap(({ limit, periodMs }) => [limit, periodMs * 1000])]);
  return [keys.length, ...keys, memberPrefix, takes.length, ...limits];
}
