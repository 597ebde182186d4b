import type { Redis } from 'ioredis';
import { messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { createFallbackLimiter } from './fallback-limiter.ts';
import type { Limiter, LimiterStore } from './limiter.ts';
import { createLocalLimiter } from './sliding-window.ts';
import { createPrimaryLimiter, type PrimaryLink } from './primary-limiter.ts';
import { createRedisLimiter } from './redis-limiter.ts';

/** With what is left for the way through the fallback, a request is decided within 100 ms of Redis' silence. */
const redisTimeoutMs = 80;
/**
 * The primary runs on this machine and its workers end with it, so its silence says that the machine is busy, which is
 * when a limit is needed most: waiting keeps it exact.
 */
const primaryTimeoutMs = 2_000;
const retryEveryMs = 250;

export type LimiterDeps = {
  readonly link: PrimaryLink;
  /** Undefined: the primary process counts. */
  readonly redis: Redis | undefined;
  readonly logger: Logger;
  readonly onFallback: () => void;
};

export type WorkerLimiter = Limiter & { readonly store: () => LimiterStore };

/**
 * The limiter of one worker. Redis counts where it is configured, else the primary process. When Redis does not answer,
 * the primary counts for this machine; when the primary does not, each worker counts alone. Both are told as `local`.
 */
export function createLimiter({ link, redis, logger, onFallback }: LimiterDeps): WorkerLimiter {
  const reported = (name: LimiterStore) => (to: 'first' | 'second', reason?: unknown) => {
    if (to === 'first') {
      logger.info({ store: name }, 'rate limit is counted in its store again');
      return;
    }
    onFallback();
    logger.error({ store: name, reason: messageOf(reason) }, 'rate limit is counted locally: its store does not answer');
  };
  const onMachine = createFallbackLimiter({
    first: createPrimaryLimiter(link, primaryTimeoutMs),
    second: createLocalLimiter(),
    retryEveryMs,
    onSwitch: reported('primary'),
  });
  if (!redis) return { take: onMachine.take, store: () => (onMachine.hasFallenBack() ? 'local' : 'primary') };
  const shared = createFallbackLimiter({
    first: createRedisLimiter(redis, redisTimeoutMs),
    second: onMachine,
    retryEveryMs,
    onSwitch: reported('redis'),
  });
  return { take: shared.take, store: () => (shared.hasFallenBack() ? 'local' : 'redis') };
}
