import type { Redis } from 'ioredis';
import { messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { createBesideLimiter } from './beside-limiter.ts';
import { createFallbackLimiter } from './fallback-limiter.ts';
import { LimiterUnavailableError, type Limiter, type LimiterStore, type Quota } from './limiter.ts';
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
/** Tells the book in the primary that Redis will miss requests. */
const withoutRedis: readonly Quota[] = [];

export type LimiterDeps = {
  readonly link: PrimaryLink;
  /** Undefined: the primary process counts. */
  readonly redis: Redis | undefined;
  readonly logger: Logger;
  readonly onFallback: () => void;
};

export type WorkerLimiter = Limiter & { readonly store: () => LimiterStore };

/**
 * The limiter of one worker. Redis counts where it is configured, and the primary keeps the book of this machine beside it, else the
 * primary counts. When Redis does not answer, the primary counts for this machine, from its book; when the primary does not, each
 * worker counts alone. Both are told as `local`.
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
  const primary = createPrimaryLimiter(link, primaryTimeoutMs);
  const onMachine = createFallbackLimiter({
    first: primary,
    second: createLocalLimiter(),
    retryEveryMs,
    onSwitch: reported('primary'),
  });
  if (!redis) return { take: onMachine.take, store: () => (onMachine.hasFallenBack() ? 'local' : 'primary') };
  const inRedis = createRedisLimiter(redis, redisTimeoutMs);
  const report = reported('redis');
  const shared = createFallbackLimiter({
    first: createBesideLimiter({ decider: inRedis, machine: onMachine, book: primary }),
    second: onMachine,
    retryEveryMs,
    trial: inRedis,
    handsOver: false,
    onSwitch: (to, reason) => {
      if (to === 'second') void onMachine.take(withoutRedis);
      report(to, reason);
    },
  });
  // It may come back having forgotten everything before anybody asked it.
  redis.on('reconnecting', () => shared.fallBack(new LimiterUnavailableError('the connection was closed')));
  return { take: shared.take, store: () => (shared.hasFallenBack() ? 'local' : 'redis') };
}
