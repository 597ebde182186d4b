import { Redis } from 'ioredis';
import { messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import type { RedisSettings } from '#lib/settings.ts';

/**
 * One connection to Redis that never makes a request wait: while it is not connected commands fail at once, and it
 * reconnects by itself. Connects in the background; an outage is logged once, and its end.
 */
export function createRedisClient(settings: RedisSettings, logger: Logger): Redis {
  const redis = new Redis({
    host: settings.REDIS_HOST,
    port: settings.REDIS_PORT,
    ...(settings.REDIS_PASSWORD === undefined ? {} : { password: settings.REDIS_PASSWORD }),
    connectionName: 'atalaya-api',
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    // A Redis that hangs with the connection open is left, and what waits for it forgotten.
    socketTimeout: 5_000,
    retryStrategy: (attempt) => Math.min(1_000, 50 * 2 ** Math.min(attempt, 5)),
    // Kept short: the limiter's answers are numbers and the reply shapes of RESP2.
    replyMapping: 'legacy',
  });
  let isReported = false;
  redis.on('error', (err) => {
    if (!isReported)
      logger.error({ redis: `${settings.REDIS_HOST}:${settings.REDIS_PORT}`, reason: messageOf(err) }, 'redis is unreachable');
    isReported = true;
  });
  redis.on('ready', () => {
    if (isReported) logger.info('redis answers again');
    isReported = false;
  });
  return redis;
}
