import type { Limiter, Quota } from './limiter.ts';

export type FallbackOptions = {
  /** Counts as long as it answers. */
  readonly first: Limiter;
  /** Counts while `first` does not. */
  readonly second: Limiter;
  /** Shortest time between two tries whether `first` answers again. */
  readonly retryEveryMs: number;
  readonly now?: () => number;
  /** Told when counting falls back, with the reason, and when it returns. */
  readonly onSwitch?: (to: 'second' | 'first', reason?: unknown) => void;
};

export type FallbackLimiter = Limiter & {
  /** True while `second` counts. */
  readonly hasFallenBack: () => boolean;
};

/**
 * A limiter that never fails: when `first` does not answer, `second` decides. A request meets the silence of `first` at
 * most once; later ones are decided by `second` at once, while one of them at a time is also put to `first`, and its
 * answer ends the fallback.
 */
export function createFallbackLimiter(options: FallbackOptions): FallbackLimiter {
  const { first, second, retryEveryMs, onSwitch } = options;
  const now = options.now ?? (() => performance.now());
  let hasFallenBack = false;
  let isTrying = false;
  let retryAt = 0;

  const fallBack = (reason: unknown): void => {
    retryAt = now() + retryEveryMs;
    if (hasFallenBack) return;
    hasFallenBack = true;
    onSwitch?.('second', reason);
  };
  const tryFirst = async (quotas: readonly Quota[]): Promise<void> => {
    isTrying = true;
    try {
      await first.take(quotas);
      hasFallenBack = false;
      onSwitch?.('first');
    } catch (err) {
      fallBack(err);
    } finally {
      isTrying = false;
    }
  };

  return {
    take: (quotas) => {
      if (!hasFallenBack) {
        return first.take(quotas).catch((err: unknown) => {
          fallBack(err);
          return second.take(quotas);
        });
      }
      if (!isTrying && now() >= retryAt) void tryFirst(quotas);
      return second.take(quotas);
    },
    hasFallenBack: () => hasFallenBack,
  };
}
